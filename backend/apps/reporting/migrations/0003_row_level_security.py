"""Rows are visible in their tenant's scope and in the house's: docs/decisions/0007-row-level-security.md."""

from django.db import migrations

from apps.common.db import ProtectTenantRows


class Migration(migrations.Migration):
    dependencies = [("reporting", "0002_erasable")]

    operations = [
        ProtectTenantRows("Report", content=True),
        ProtectTenantRows("ReportEntry", content=True),
    ]
