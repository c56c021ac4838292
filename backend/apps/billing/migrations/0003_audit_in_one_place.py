from typing import Final

from django.db import migrations

# From now on each row of the billing audit log stands in the audit of the house as well. Those that are there already
# are copied under their own ids, so that running this again copies nothing twice.
_COPY: Final = """
    INSERT INTO observability_auditevent (id, tenant_id, actor_id, origin, action, target_kind, target_id, before, after,
        reason, address, request_id, at)
    SELECT id, tenant_id, actor_id, '', action, target_kind, target_id::text, before, after, reason, address,
        request_id, at
    FROM billing_billingauditlog
    ON CONFLICT (id) DO NOTHING
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0002_blanked_by_erasure'),
        ('observability', '0004_audit_origins'),
    ]

    operations = [migrations.RunSQL(_COPY, migrations.RunSQL.noop)]
