"""The customer and the people in it."""

from typing import Final

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.common.db import append_only
from apps.common.ids import uuid7
from apps.common.tenancy import TenantOwned
from apps.tenants.types import PATH_MAX, REASON_MAX, GrantScope, Role


class Tenant(models.Model):
    """The customer: made at sign-up, owns all data."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


# The lock makes two owners who leave at the same moment see one another: the second waits for the first to commit.
_HAS_AN_OWNER: Final = """
    FOR concerned IN
        SELECT DISTINCT touched FROM unnest(ARRAY[
            CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.tenant_id END,
            CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE NEW.tenant_id END
        ]) AS touched WHERE touched IS NOT NULL ORDER BY touched
    LOOP
        PERFORM 1 FROM tenants_tenant WHERE id = concerned FOR NO KEY UPDATE;
        IF EXISTS (SELECT 1 FROM tenants_profile WHERE tenant_id = concerned)
            AND NOT EXISTS (SELECT 1 FROM tenants_profile WHERE tenant_id = concerned AND role = 'owner')
        THEN
            RAISE EXCEPTION 'tenant % has people but no owner', concerned
                USING ERRCODE = 'check_violation', CONSTRAINT = 'tenants_profile_has_an_owner';
        END IF;
    END LOOP;
    RETURN NULL;
"""


class Profile(TenantOwned):
    """A person in a tenant, with a role and settings. A person is in exactly one tenant, and people have an owner."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="profile")
    role = models.CharField(max_length=16, choices=Role.choices)
    time_zone = models.CharField(max_length=64, default="UTC")
    settings = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="tenants_profile_tenant_user"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="tenants_profile_role"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="has_an_owner",
                when=pgtrigger.After,
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf("role", "tenant_id")  # type: ignore[no-untyped-call]
                | pgtrigger.Delete,
                declare=[("concerned", "uuid")],
                func=_HAS_AN_OWNER,
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.tenant_id}"


class SupportGrant(TenantOwned):
    """A person's permission for staff to see what they see themselves, of some areas and for some minutes.

    Nothing of it changes but that it ends early.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=REASON_MAX)
    scopes = ArrayField(models.CharField(max_length=16, choices=GrantScope.choices))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "granted_by", "-id"], name="tenants_grant_by"),
            models.Index(fields=["expires_at"], condition=Q(revoked_at=None), name="tenants_grant_open"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="tenants_grant_lasts"),
            models.CheckConstraint(
                condition=Q(scopes__len__gte=1, scopes__contained_by=GrantScope.values), name="tenants_grant_scopes"
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="fixed_terms",
                fields=["tenant", "granted_by", "scopes", "created_at", "expires_at"],
            ),
            pgtrigger.Protect(
                name="revoked_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(
                    old__revoked_at__isnull=False, new__revoked_at__df=pgtrigger.F("old__revoked_at")
                ),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.granted_by_id} until {self.expires_at}"


class SupportAccess(TenantOwned):
    """One look that staff took by a grant. Append-only; the person who granted it sees the list."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    grant = models.ForeignKey(SupportGrant, on_delete=models.PROTECT, related_name="accesses")
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=PATH_MAX)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["grant", "-id"], name="tenants_access_of_grant")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
