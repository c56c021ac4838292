"""What every tenant table carries."""

from django.db import models

from apps.common.ids import TenantId

__all__ = ["TenantId", "TenantOwned"]


class TenantOwned(models.Model):
    """Base of every table whose rows belong to one customer.

    Foreign keys to other tenant tables also need `apps.common.db.AddTenantReference` in a migration; an architecture
    test reads the catalogue and fails when one is missing.
    """

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+")
    tenant_id: TenantId

    class Meta:
        abstract = True
