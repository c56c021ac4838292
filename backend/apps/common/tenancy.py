"""What every tenant table carries, and whose rows are visible (from `apps.common.scopes`)."""

from django.db import models

from apps.common.ids import TenantId
from apps.common.scopes import (
    ScopeError,
    SystemScope,
    bind_system,
    bind_tenant,
    edge,
    system_scope,
    tenant_scope,
)

__all__ = [
    "ScopeError",
    "SystemScope",
    "TenantId",
    "TenantOwned",
    "bind_system",
    "bind_tenant",
    "edge",
    "system_scope",
    "tenant_scope",
]


class TenantOwned(models.Model):
    """Base of every table whose rows belong to one customer.

    The table also needs two operations of `apps.common.db` in a migration: `ProtectTenantRows`, and
    `AddTenantReference` for each foreign key to another tenant table. Architecture tests read the catalogue and fail
    when one is missing.
    """

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+")
    tenant_id: TenantId

    class Meta:
        abstract = True
