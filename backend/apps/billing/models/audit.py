"""Who changed what about money."""

from uuid import UUID

from django.conf import settings
from django.db import models

from apps.common.db import append_only
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId


class BillingAuditLog(models.Model):
    """Who changed what, before and after, why and from where. Append-only; written with the change itself.

    `tenant` is empty for what concerns every customer (a rate card), `actor` for what the system did by itself.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, null=True, related_name="+")
    tenant_id: TenantId | None
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    actor_id: UUID | None
    action = models.CharField(max_length=80)
    target_kind = models.CharField(max_length=40)
    target_id = models.UUIDField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "-id"], name="billing_audit_tenant"),
            models.Index(fields=["target_kind", "target_id"], name="billing_audit_target"),
        ]
        triggers = append_only(blankable=("before", "after", "address"))

    def __str__(self) -> str:
        return f"{self.action} {self.target_kind} {self.target_id}"
