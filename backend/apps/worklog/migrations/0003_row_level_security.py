"""Rows are visible in their tenant's scope and in the house's: docs/decisions/0007-row-level-security.md."""

from django.db import migrations

from apps.common.db import ProtectTenantRows


class Migration(migrations.Migration):
    dependencies = [("worklog", "0002_erasable")]

    operations = [
        ProtectTenantRows("Employer", content=True),
        ProtectTenantRows("Project", content=True),
        ProtectTenantRows("Tag", content=True),
        ProtectTenantRows("WorkLog", content=True),
        ProtectTenantRows("WorkLogTag", content=True),
        ProtectTenantRows("WorkLogVersion", content=True),
    ]
