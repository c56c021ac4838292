"""Rows are visible in their tenant's scope and in the house's: docs/decisions/0007-row-level-security.md."""

from django.db import migrations

from apps.common.db import ProtectTenantRows


class Migration(migrations.Migration):
    dependencies = [("orchestration", "0002_exports_and_deletions")]

    operations = [
        ProtectTenantRows("Job"),
        ProtectTenantRows("JobRun", content=True),
        ProtectTenantRows("DataExport", content=True),
        ProtectTenantRows("AccountDeletion"),
        ProtectTenantRows("ErasureCertificate"),
    ]
