"""Rows are visible in their tenant's scope and in the house's: docs/decisions/0007-row-level-security.md."""

from django.db import migrations

from apps.common.db import ProtectTenantRows


class Migration(migrations.Migration):
    dependencies = [("observability", "0005_heartbeats"), ("billing", "0003_audit_in_one_place")]

    operations = [
        ProtectTenantRows("EventRecord", accepts_none=True),
        ProtectTenantRows("AuditEvent", accepts_none=True),
    ]
