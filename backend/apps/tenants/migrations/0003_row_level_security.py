"""Rows are visible in their tenant's scope and in the house's: docs/decisions/0007-row-level-security.md."""

from django.db import migrations

from apps.common.db import ProtectTenantRows


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_owners_and_support_grants")]

    operations = [
        ProtectTenantRows("Tenant", column="id"),
        ProtectTenantRows("Profile"),
        ProtectTenantRows("SupportGrant"),
        ProtectTenantRows("SupportAccess"),
    ]
