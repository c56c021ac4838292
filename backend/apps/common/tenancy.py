"""What every tenant table carries."""

from typing import NewType
from uuid import UUID

from django.db import models

# The customer whose rows are meant. Services take it (or an actor that carries it) as their first keyword.
TenantId = NewType("TenantId", UUID)


class TenantOwned(models.Model):
    """Base of every table whose rows belong to one customer.

    Foreign keys to other tenant tables also need `apps.common.db.AddTenantReference` in a migration; an architecture
    test reads the catalogue and fails when one is missing.
    """

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+")
    tenant_id: TenantId

    class Meta:
        abstract = True
