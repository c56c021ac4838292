"""Single-use keys to the house."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from apps.common.db import micros_range, unless_blanked_by_erasure
from apps.common.ids import uuid7
from apps.tenants.types import Role


class InvitePasskey(models.Model):
    """A single-use invitation key, of which only the SHA-256 and a short prefix are kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False)
    note = models.CharField(max_length=200, blank=True)
    bound_email = models.CharField(max_length=254, blank=True)
    promo_credit_micros = models.BigIntegerField(default=0)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    used_by = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    # What a script called this very making of a key, so that running it twice makes one.
    operation_key = models.CharField(max_length=120, null=True, unique=True, editable=False)  # noqa: DJ001 - null is no key

    class Meta:
        verbose_name = "invite passkey"
        constraints = [
            micros_range("promo_credit_micros", name="invitations_promo_range", minimum=0),
            models.CheckConstraint(
                condition=Q(tenant__isnull=True, role="") | Q(tenant__isnull=False, role__in=Role.values),
                name="invitations_role_with_tenant",
            ),
            models.CheckConstraint(
                condition=Q(used_by__isnull=True, used_at__isnull=True)
                | Q(used_by__isnull=False, used_at__isnull=False, revoked_at__isnull=True),
                name="invitations_used_once_and_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(expires_at__isnull=True) | Q(used_at__lt=F("expires_at")),
                name="invitations_used_in_time",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="fixed_terms",
                fields=["digest", "prefix", "promo_credit_micros", "tenant", "role", "created_by", "operation_key"],
            ),
            pgtrigger.Protect(
                name="bound_for_good",
                operation=pgtrigger.Update,
                condition=unless_blanked_by_erasure(
                    "bound_email", "note", old="OLD.bound_email IS DISTINCT FROM NEW.bound_email"
                ),
            ),
            pgtrigger.Protect(
                name="spent_for_good",
                operation=pgtrigger.Update,
                condition=unless_blanked_by_erasure(
                    "bound_email", "note", old="OLD.used_at IS NOT NULL OR OLD.revoked_at IS NOT NULL"
                ),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"
