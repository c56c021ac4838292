"""The customer and the people in it."""

from django.conf import settings
from django.db import models

from apps.common.ids import uuid7
from apps.common.tenancy import TenantOwned
from apps.tenants.types import Role


class Tenant(models.Model):
    """The customer: made at sign-up, owns all data."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Profile(TenantOwned):
    """A person in a tenant, with a role and settings. A person is in exactly one tenant."""

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

    def __str__(self) -> str:
        return f"{self.user_id} in {self.tenant_id}"
