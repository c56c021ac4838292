import apps.billing.models.rates
import apps.common.ids
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.math
import django.db.models.lookups
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models

from apps.common.db import AddTenantReference


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name='LossEntry',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('job_id', models.UUIDField()),
                ('call_id', models.UUIDField()),
                ('reason', models.CharField(choices=[('outcome_unknown', 'The call was sent and its outcome is unknown'), ('usage_unknown', 'The call was answered without a usable count'), ('above_hold', 'Usage above the hold'), ('below_floor', 'A reversal had taken the money in the meantime')], max_length=24)),
                ('unbilled_micros', models.BigIntegerField()),
                ('provider_cost_micros', models.BigIntegerField()),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'loss entries',
            },
        ),
        migrations.CreateModel(
            name='RateCard',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('plan', models.CharField(choices=[('free', 'Free'), ('starter', 'Starter'), ('professional', 'Professional'), ('enterprise', 'Enterprise')], max_length=16, unique=True)),
                ('name', models.CharField(max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name='RateCardVersion',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField(editable=False)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published')], default='draft', editable=False, max_length=16)),
                ('valid_from', models.DateTimeField(blank=True, null=True)),
                ('valid_to', models.DateTimeField(blank=True, editable=False, null=True)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(editable=False)),
                ('published_at', models.DateTimeField(editable=False, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='RateLineItem',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('meter', models.CharField(choices=[('llm.tokens', 'Language model tokens')], default='llm.tokens', max_length=40)),
                ('model_pattern', models.CharField(max_length=120)),
                ('token_class', models.CharField(blank=True, choices=[('', 'Quantity'), ('input', 'Input'), ('cached_input', 'Cached input'), ('cache_write', 'Cache write'), ('output', 'Output'), ('reasoning', 'Reasoning')], max_length=16)),
                ('unit_size', models.BigIntegerField(default=1000000, validators=[django.core.validators.MinValueValidator(1)])),
                ('price_micros', models.BigIntegerField()),
                ('provider_cost_micros', models.BigIntegerField()),
                ('is_free', models.BooleanField(default=False)),
                ('is_essential', models.BooleanField(default=False)),
            ],
        ),
        migrations.CreateModel(
            name='ReserveAccount',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('currency', models.CharField(default='USD', max_length=3)),
                ('balance_micros', models.BigIntegerField(default=0)),
                ('held_micros', models.BigIntegerField(default=0)),
                ('last_seq', models.BigIntegerField(default=0)),
                ('last_hash', models.CharField(max_length=64)),
                ('low_balance_threshold_micros', models.BigIntegerField()),
                ('policy', models.CharField(choices=[('block', 'Stop at zero'), ('warn', 'Warn and go on down to the floor'), ('limited', 'Stop at zero, but essential meters go on down to the floor')], max_length=16)),
                ('floor_micros', models.BigIntegerField()),
                ('is_stopped', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='ReserveHold',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('job_id', models.UUIDField()),
                ('call_id', models.UUIDField()),
                ('operation_key', models.CharField(max_length=200)),
                ('request_hash', models.CharField(max_length=64)),
                ('meter', models.CharField(choices=[('llm.tokens', 'Language model tokens')], max_length=40)),
                ('model', models.CharField(max_length=120)),
                ('amount_micros', models.BigIntegerField()),
                ('provider_at_most_micros', models.BigIntegerField()),
                ('state', models.CharField(choices=[('open', 'Open'), ('settled', 'Settled'), ('released', 'Released'), ('expired', 'Expired')], default='open', max_length=16)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ReserveLedgerEntry',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField()),
                ('kind', models.CharField(choices=[('topup', 'Top-up'), ('auto_topup', 'Automatic top-up'), ('promo_credit', 'Promotional credit'), ('usage', 'Usage'), ('adjustment', 'Adjustment'), ('refund', 'Refund'), ('dispute_withdrawn', 'Dispute: withdrawn'), ('dispute_reinstated', 'Dispute: reinstated'), ('credit_expiry', 'Expired credit')], max_length=24)),
                ('amount_micros', models.BigIntegerField()),
                ('balance_after_micros', models.BigIntegerField()),
                ('floor_micros', models.BigIntegerField()),
                ('currency', models.CharField(default='USD', max_length=3)),
                ('idempotency_key', models.CharField(max_length=255)),
                ('request_hash', models.CharField(max_length=64)),
                ('payment_intent_id', models.CharField(max_length=255, null=True)),
                ('refund_id', models.CharField(max_length=255, null=True)),
                ('dispute_id', models.CharField(max_length=255, null=True)),
                ('dispute_phase', models.CharField(choices=[('withdrawn', 'Withdrawn'), ('reinstated', 'Reinstated')], max_length=16, null=True)),
                ('promo_source', models.UUIDField(null=True)),
                ('description', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField()),
                ('previous_hash', models.CharField(max_length=64)),
                ('hash', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name_plural': 'reserve ledger entries',
            },
        ),
        migrations.CreateModel(
            name='UsageEvent',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('idempotency_key', models.CharField(max_length=255)),
                ('job_id', models.UUIDField()),
                ('call_id', models.UUIDField()),
                ('meter', models.CharField(choices=[('llm.tokens', 'Language model tokens')], max_length=40)),
                ('model', models.CharField(max_length=120)),
                ('input_tokens', models.BigIntegerField(default=0)),
                ('cached_input_tokens', models.BigIntegerField(default=0)),
                ('cache_write_tokens', models.BigIntegerField(default=0)),
                ('output_tokens', models.BigIntegerField(default=0)),
                ('reasoning_tokens', models.BigIntegerField(default=0)),
                ('quantity', models.BigIntegerField(default=0)),
                ('charges', models.JSONField()),
                ('cost_micros', models.BigIntegerField()),
                ('excess_micros', models.BigIntegerField(default=0)),
                ('provider_cost_micros', models.BigIntegerField()),
                ('provider_request_id', models.CharField(blank=True, max_length=255)),
                ('duration_ms', models.BigIntegerField()),
                ('occurred_at', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='BillingAuditLog',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('action', models.CharField(max_length=80)),
                ('target_kind', models.CharField(max_length=40)),
                ('target_id', models.UUIDField()),
                ('before', models.JSONField(null=True)),
                ('after', models.JSONField(null=True)),
                ('reason', models.CharField(blank=True, max_length=500)),
                ('address', models.GenericIPAddressField(null=True)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('tenant', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.CreateModel(
            name='BillingProfile',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('plan', models.CharField(choices=[('free', 'Free'), ('starter', 'Starter'), ('professional', 'Professional'), ('enterprise', 'Enterprise')], default='free', max_length=16)),
                ('stripe_customer_id', models.CharField(blank=True, max_length=255, null=True, unique=True)),
                ('billing_email', models.EmailField(blank=True, max_length=254)),
                ('created_at', models.DateTimeField()),
                ('updated_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.CreateModel(
            name='LedgerAnchor',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField()),
                ('hash', models.CharField(max_length=64)),
                ('at', models.DateTimeField()),
                ('tenant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant')),
            ],
        ),
        migrations.CreateModel(
            name='LedgerProof',
            fields=[
                ('id', models.UUIDField(default=apps.common.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
                ('is_ok', models.BooleanField()),
                ('accounts', models.BigIntegerField()),
                ('entries', models.BigIntegerField()),
                ('events', models.BigIntegerField()),
                ('problems', models.BigIntegerField()),
                ('first_broken', models.CharField(blank=True, max_length=500)),
                ('duration_ms', models.BigIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['-at'], name='billing_proof_at')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgerproof',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f5fc02a5b8ca8cfc95337b2e64364f95dea39fa6', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e205e', table='billing_ledgerproof', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgerproof',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append only: % cannot be truncated', TG_TABLE_NAME;", hash='9038c8e5537d9a20dbdf120c6cf26e3948bc9a60', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_736ec', table='billing_ledgerproof', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='lossentry',
            name='tenant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddConstraint(
            model_name='ratecard',
            constraint=models.CheckConstraint(condition=models.Q(('plan__in', ['free', 'starter', 'professional', 'enterprise'])), name='billing_card_plan'),
        ),
        migrations.AddField(
            model_name='ratecardversion',
            name='card',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='billing.ratecard'),
        ),
        migrations.AddField(
            model_name='ratecardversion',
            name='published_by',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='ratelineitem',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='billing.ratecardversion'),
        ),
        migrations.AddField(
            model_name='reserveaccount',
            name='tenant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddField(
            model_name='ledgeranchor',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.reserveaccount'),
        ),
        migrations.AddField(
            model_name='reservehold',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.reserveaccount'),
        ),
        migrations.AddField(
            model_name='reservehold',
            name='rate_version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.ratecardversion'),
        ),
        migrations.AddField(
            model_name='reservehold',
            name='tenant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddField(
            model_name='lossentry',
            name='hold',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.reservehold'),
        ),
        migrations.AddField(
            model_name='reserveledgerentry',
            name='account',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.reserveaccount'),
        ),
        migrations.AddField(
            model_name='reserveledgerentry',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='reserveledgerentry',
            name='adjustment',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.billingauditlog'),
        ),
        migrations.AddField(
            model_name='reserveledgerentry',
            name='expired_entry',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.reserveledgerentry'),
        ),
        migrations.AddField(
            model_name='reserveledgerentry',
            name='hold',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.reservehold'),
        ),
        migrations.AddField(
            model_name='reserveledgerentry',
            name='tenant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddField(
            model_name='usageevent',
            name='hold',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.reservehold'),
        ),
        migrations.AddField(
            model_name='usageevent',
            name='rate_version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='billing.ratecardversion'),
        ),
        migrations.AddField(
            model_name='usageevent',
            name='settlement',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='billing.reserveledgerentry'),
        ),
        migrations.AddField(
            model_name='usageevent',
            name='tenant',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenants.tenant'),
        ),
        migrations.AddIndex(
            model_name='billingauditlog',
            index=models.Index(fields=['tenant', '-id'], name='billing_audit_tenant'),
        ),
        migrations.AddIndex(
            model_name='billingauditlog',
            index=models.Index(fields=['target_kind', 'target_id'], name='billing_audit_target'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='billingauditlog',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c4022c5025545f96a7b7b2f2fd3f05f7a4b8c603', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_dcdba', table='billing_billingauditlog', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='billingauditlog',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append only: % cannot be truncated', TG_TABLE_NAME;", hash='bec642c11acb1943559812d49b0fb9479fd34983', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_21e90', table='billing_billingauditlog', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='billingprofile',
            constraint=models.UniqueConstraint(fields=('tenant',), name='billing_profile_tenant'),
        ),
        migrations.AddConstraint(
            model_name='billingprofile',
            constraint=models.CheckConstraint(condition=models.Q(('plan__in', ['free', 'starter', 'professional', 'enterprise'])), name='billing_profile_plan'),
        ),
        migrations.AddConstraint(
            model_name='ratecardversion',
            constraint=models.UniqueConstraint(fields=('card', 'number'), name='billing_version_number'),
        ),
        migrations.AddConstraint(
            model_name='ratecardversion',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'published'])), name='billing_version_state'),
        ),
        migrations.AddConstraint(
            model_name='ratecardversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('published_at__isnull', True), ('state', 'draft'), ('valid_to__isnull', True)), models.Q(('published_at__isnull', False), ('state', 'published'), ('valid_from__isnull', False)), _connector='OR'), name='billing_version_published'),
        ),
        migrations.AddConstraint(
            model_name='ratecardversion',
            constraint=models.CheckConstraint(condition=models.Q(('valid_to__isnull', True), ('valid_to__gt', models.F('valid_from')), _connector='OR'), name='billing_version_period'),
        ),
        migrations.AddConstraint(
            model_name='ratecardversion',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('state', 'published')), expressions=[('card', '='), (apps.billing.models.rates.TsTzRange('valid_from', 'valid_to', django.contrib.postgres.fields.ranges.RangeBoundary()), '&&')], name='billing_version_no_overlap'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ratecardversion',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF OLD.state = 'published' AND (TG_OP = 'DELETE' OR OLD.valid_to IS NOT NULL\n        OR to_jsonb(NEW) - 'valid_to' IS DISTINCT FROM to_jsonb(OLD) - 'valid_to') THEN\n        RAISE EXCEPTION 'rate card: a published version is frozen' USING ERRCODE = 'check_violation';\n    END IF;\n    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\n    RETURN NEW;\n", hash='4443cc3c63cd9191ea195ea09661f0e8e92c39a8', operation='UPDATE OR DELETE', pgid='pgtrigger_frozen_d5580', table='billing_ratecardversion', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='ratelineitem',
            constraint=models.UniqueConstraint(fields=('version', 'meter', 'model_pattern', 'token_class'), name='billing_line_unique'),
        ),
        migrations.AddConstraint(
            model_name='ratelineitem',
            constraint=models.CheckConstraint(condition=models.Q(('meter__in', ['llm.tokens'])), name='billing_line_meter'),
        ),
        migrations.AddConstraint(
            model_name='ratelineitem',
            constraint=models.CheckConstraint(condition=models.Q(('token_class__in', ['', 'input', 'cached_input', 'cache_write', 'output', 'reasoning'])), name='billing_line_class'),
        ),
        migrations.AddConstraint(
            model_name='ratelineitem',
            constraint=models.CheckConstraint(condition=models.Q(('model_pattern__regex', '^([^*]+\\*?|\\*)$')), name='billing_line_pattern', violation_error_message='Name a model, or the beginning of one with a star at its end.'),
        ),
        migrations.AddConstraint(
            model_name='ratelineitem',
            constraint=models.CheckConstraint(condition=models.Q(('unit_size__gt', 0)), name='billing_line_unit_size'),
        ),
        migrations.AddConstraint(
            model_name='ratelineitem',
            constraint=models.CheckConstraint(condition=models.ExpressionWrapper(django.db.models.lookups.Exact(django.db.models.functions.math.Mod(models.Value(1000000), models.F('unit_size')), models.Value(0)), output_field=models.BooleanField()), name='billing_line_unit_divides', violation_error_message='The unit must divide one million, so that prices stay exact.'),
        ),
        migrations.AddConstraint(
            model_name='ratelineitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('is_free', True), ('price_micros', 0)), models.Q(('is_free', False), ('price_micros__gt', 0)), _connector='OR'), name='billing_line_free_says_so', violation_error_message='A line without a price must say that it is free, one with a price must not.'),
        ),
        migrations.AddConstraint(
            model_name='ratelineitem',
            constraint=models.CheckConstraint(condition=models.Q(('price_micros__gte', 0), ('price_micros__lte', django.db.models.expressions.CombinedExpression(models.F('unit_size'), '*', models.Value(100000)))), name='billing_line_price', violation_error_message='The price must lie between zero and ten cents for each single unit.'),
        ),
        migrations.AddConstraint(
            model_name='ratelineitem',
            constraint=models.CheckConstraint(condition=models.Q(('provider_cost_micros__gte', 0), ('provider_cost_micros__lte', django.db.models.expressions.CombinedExpression(models.F('unit_size'), '*', models.Value(100000)))), name='billing_line_provider', violation_error_message="The provider's cost must lie between zero and ten cents for each single unit."),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ratelineitem',
            trigger=pgtrigger.compiler.Trigger(name='frozen', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF EXISTS (\n        SELECT 1 FROM billing_ratecardversion version WHERE version.state = 'published'\n            AND ((TG_OP <> 'INSERT' AND version.id = OLD.version_id)\n                OR (TG_OP <> 'DELETE' AND version.id = NEW.version_id))\n    ) THEN\n        RAISE EXCEPTION 'rate card: the lines of a published version are frozen' USING ERRCODE = 'check_violation';\n    END IF;\n    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\n    RETURN NEW;\n", hash='4107eb33284127f1d72e06ab45ec914eee52b0ff', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_frozen_f3749', table='billing_ratelineitem', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='reserveaccount',
            constraint=models.UniqueConstraint(fields=('tenant',), name='billing_account_tenant'),
        ),
        migrations.AddConstraint(
            model_name='reserveaccount',
            constraint=models.CheckConstraint(condition=models.Q(('currency', 'USD')), name='billing_account_currency'),
        ),
        migrations.AddConstraint(
            model_name='reserveaccount',
            constraint=models.CheckConstraint(condition=models.Q(('policy__in', ['block', 'warn', 'limited'])), name='billing_account_policy'),
        ),
        migrations.AddConstraint(
            model_name='reserveaccount',
            constraint=models.CheckConstraint(condition=models.Q(('last_seq__gte', 0)), name='billing_account_seq'),
        ),
        migrations.AddConstraint(
            model_name='reserveaccount',
            constraint=models.CheckConstraint(condition=models.Q(('floor_micros__lte', 0)), name='billing_account_floor'),
        ),
        migrations.AddConstraint(
            model_name='reserveaccount',
            constraint=models.CheckConstraint(condition=models.Q(('is_stopped', False), ('balance_micros__lt', 0), _connector='OR'), name='billing_account_stopped'),
        ),
        migrations.AddConstraint(
            model_name='reserveaccount',
            constraint=models.CheckConstraint(condition=models.Q(('balance_micros__gte', -1000000000000000), ('balance_micros__lte', 1000000000000000)), name='billing_account_balance'),
        ),
        migrations.AddConstraint(
            model_name='reserveaccount',
            constraint=models.CheckConstraint(condition=models.Q(('held_micros__gte', 0), ('held_micros__lte', 1000000000000000)), name='billing_account_held'),
        ),
        migrations.AddConstraint(
            model_name='reserveaccount',
            constraint=models.CheckConstraint(condition=models.Q(('low_balance_threshold_micros__gte', 0), ('low_balance_threshold_micros__lte', 1000000000000000)), name='billing_account_threshold'),
        ),
        migrations.AddConstraint(
            model_name='reserveaccount',
            constraint=models.CheckConstraint(condition=models.Q(('floor_micros__gte', -1000000000000000), ('floor_micros__lte', 1000000000000000)), name='billing_account_floor_range'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reserveaccount',
            trigger=pgtrigger.compiler.Trigger(name='check_account', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE account billing_reserveaccount%ROWTYPE; head_seq bigint; head_balance bigint; head_hash text;', func="\n    SELECT * INTO account FROM billing_reserveaccount WHERE id = NEW.id;\n    SELECT seq, balance_after_micros, hash INTO head_seq, head_balance, head_hash\n    FROM billing_reserveledgerentry WHERE account_id = NEW.id ORDER BY seq DESC LIMIT 1;\n    IF account.last_seq <> coalesce(head_seq, 0) OR account.balance_micros <> coalesce(head_balance, 0)\n        OR account.last_hash <> coalesce(head_hash, repeat('0', 64)) THEN\n        RAISE EXCEPTION 'reserve: account % differs from its last entry', NEW.id USING ERRCODE = 'check_violation';\n    END IF;\n    IF account.held_micros <> (\n        SELECT coalesce(sum(amount_micros), 0) FROM billing_reservehold\n        WHERE account_id = NEW.id AND state = 'open'\n    ) THEN\n        RAISE EXCEPTION 'reserve: account % differs from its open holds', NEW.id USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n", hash='dc74b927e0003ea83ad0787a0325562d2db26852', operation='INSERT OR UPDATE', pgid='pgtrigger_check_account_edd7c', table='billing_reserveaccount', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reserveaccount',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='59c0ce96f213737506245f8438445d9a52907895', operation='DELETE', pgid='pgtrigger_no_delete_cde91', table='billing_reserveaccount', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reserveaccount',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'never removed: % cannot be truncated', TG_TABLE_NAME;", hash='b09c147d1508eb59814149e9948ffc34d6193a56', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_8c8aa', table='billing_reserveaccount', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='ledgeranchor',
            constraint=models.UniqueConstraint(fields=('account', 'seq'), name='billing_anchor_seq'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgeranchor',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='76219ba54be268f2bd61cc29b99e0ff6cac25d35', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_e514b', table='billing_ledgeranchor', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='ledgeranchor',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append only: % cannot be truncated', TG_TABLE_NAME;", hash='7e23006b7ed89c2ae2ffaa20247ab4ae880820d5', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_71291', table='billing_ledgeranchor', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='reservehold',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['account'], include=('amount_micros',), name='billing_hold_open'),
        ),
        migrations.AddIndex(
            model_name='reservehold',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['expires_at', 'id'], name='billing_hold_overdue'),
        ),
        migrations.AddIndex(
            model_name='reservehold',
            index=models.Index(models.F('tenant'), models.F('job_id'), name='billing_hold_job'),
        ),
        migrations.AddConstraint(
            model_name='reservehold',
            constraint=models.UniqueConstraint(fields=('account', 'operation_key'), name='billing_hold_operation'),
        ),
        migrations.AddConstraint(
            model_name='reservehold',
            constraint=models.UniqueConstraint(fields=('tenant', 'call_id'), name='billing_hold_call'),
        ),
        migrations.AddConstraint(
            model_name='reservehold',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'settled', 'released', 'expired'])), name='billing_hold_state'),
        ),
        migrations.AddConstraint(
            model_name='reservehold',
            constraint=models.CheckConstraint(condition=models.Q(('meter__in', ['llm.tokens'])), name='billing_hold_meter'),
        ),
        migrations.AddConstraint(
            model_name='reservehold',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('state', 'open')), models.Q(models.Q(('state', 'open'), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='billing_hold_closed'),
        ),
        migrations.AddConstraint(
            model_name='reservehold',
            constraint=models.CheckConstraint(condition=models.Q(('amount_micros__gte', 0), ('amount_micros__lte', 1000000000000000)), name='billing_hold_amount'),
        ),
        migrations.AddConstraint(
            model_name='reservehold',
            constraint=models.CheckConstraint(condition=models.Q(('provider_at_most_micros__gte', 0), ('provider_at_most_micros__lte', 1000000000000000)), name='billing_hold_provider'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reservehold',
            trigger=pgtrigger.compiler.Trigger(name='check_new', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF NEW.state <> 'open' THEN\n        RAISE EXCEPTION 'hold: begins open' USING ERRCODE = 'check_violation';\n    END IF;\n    IF NEW.amount_micros > 0 AND (\n        SELECT account.balance_micros - NEW.amount_micros - (\n            SELECT coalesce(sum(amount_micros), 0) FROM billing_reservehold\n            WHERE account_id = NEW.account_id AND state = 'open'\n        ) < CASE account.policy WHEN 'block' THEN 0 ELSE account.floor_micros END OR account.is_stopped\n        FROM billing_reserveaccount account WHERE account.id = NEW.account_id\n    ) THEN\n        RAISE EXCEPTION 'hold: beyond what may be spent' USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NEW;\n", hash='b762fdc92a34c2dea02b3f78f35ca55b9a1aa3c2', operation='INSERT', pgid='pgtrigger_check_new_f1b9c', table='billing_reservehold', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reservehold',
            trigger=pgtrigger.compiler.Trigger(name='check_change', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF OLD.state <> 'open' THEN\n        RAISE EXCEPTION 'hold: % is final', OLD.state USING ERRCODE = 'check_violation';\n    END IF;\n    IF to_jsonb(NEW) - '{state,closed_at,expires_at}'::text[]\n        IS DISTINCT FROM to_jsonb(OLD) - '{state,closed_at,expires_at}'::text[] THEN\n        RAISE EXCEPTION 'hold: only its state and lease may change' USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NEW;\n", hash='c3f5060c5e5a6f35162d8abbd1550bc72b24e8ca', operation='UPDATE', pgid='pgtrigger_check_change_66ffb', table='billing_reservehold', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reservehold',
            trigger=pgtrigger.compiler.Trigger(name='check_account', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE account billing_reserveaccount%ROWTYPE; head_seq bigint; head_balance bigint; head_hash text;', func="\n    SELECT * INTO account FROM billing_reserveaccount WHERE id = NEW.account_id;\n    SELECT seq, balance_after_micros, hash INTO head_seq, head_balance, head_hash\n    FROM billing_reserveledgerentry WHERE account_id = NEW.account_id ORDER BY seq DESC LIMIT 1;\n    IF account.last_seq <> coalesce(head_seq, 0) OR account.balance_micros <> coalesce(head_balance, 0)\n        OR account.last_hash <> coalesce(head_hash, repeat('0', 64)) THEN\n        RAISE EXCEPTION 'reserve: account % differs from its last entry', NEW.account_id USING ERRCODE = 'check_violation';\n    END IF;\n    IF account.held_micros <> (\n        SELECT coalesce(sum(amount_micros), 0) FROM billing_reservehold\n        WHERE account_id = NEW.account_id AND state = 'open'\n    ) THEN\n        RAISE EXCEPTION 'reserve: account % differs from its open holds', NEW.account_id USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n", hash='94080373da1dffacf375f4e1b8a93dc2c12c0e53', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_check_account_fae88', table='billing_reservehold', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reservehold',
            trigger=pgtrigger.compiler.Trigger(name='check_outcome', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE hold_state text; events bigint; excess numeric; unmetered bigint; unbilled numeric;', func="\n    SELECT state INTO hold_state FROM billing_reservehold WHERE id = NEW.id;\n    SELECT count(*), coalesce(sum(excess_micros), 0) INTO events, excess\n    FROM billing_usageevent WHERE hold_id = NEW.id;\n    SELECT count(*) FILTER (WHERE reason IN ('outcome_unknown', 'usage_unknown')),\n        coalesce(sum(unbilled_micros) FILTER (WHERE reason IN ('above_hold', 'below_floor')), 0)\n    INTO unmetered, unbilled FROM billing_lossentry WHERE hold_id = NEW.id;\n    IF events <> (hold_state = 'settled')::int OR unmetered <> (hold_state = 'expired')::int\n        OR excess <> unbilled THEN\n        RAISE EXCEPTION 'hold: % does not fit its usage and losses', hold_state USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n", hash='d7977f2a101f8ecd977caa68a4e5c2de25f69ea6', operation='INSERT OR UPDATE OF "state"', pgid='pgtrigger_check_outcome_deaa3', table='billing_reservehold', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reservehold',
            trigger=pgtrigger.compiler.Trigger(name='no_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;", hash='7bb1b9083123ab15326d43caf62624da4afdcb73', operation='DELETE', pgid='pgtrigger_no_delete_ba471', table='billing_reservehold', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reservehold',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'never removed: % cannot be truncated', TG_TABLE_NAME;", hash='cbee26bc30c33cd0f9114a5849b8b3e7fdf6b78a', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_61943', table='billing_reservehold', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='lossentry',
            constraint=models.UniqueConstraint(fields=('tenant', 'call_id'), name='billing_loss_call'),
        ),
        migrations.AddConstraint(
            model_name='lossentry',
            constraint=models.CheckConstraint(condition=models.Q(('reason__in', ['outcome_unknown', 'usage_unknown', 'above_hold', 'below_floor'])), name='billing_loss_reason'),
        ),
        migrations.AddConstraint(
            model_name='lossentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('reason__in', ('above_hold', 'below_floor')), _negated=True), models.Q(('provider_cost_micros', 0), ('unbilled_micros__gt', 0)), _connector='OR'), name='billing_loss_beside_event'),
        ),
        migrations.AddConstraint(
            model_name='lossentry',
            constraint=models.CheckConstraint(condition=models.Q(('unbilled_micros__gte', 0), ('unbilled_micros__lte', 1000000000000000)), name='billing_loss_unbilled'),
        ),
        migrations.AddConstraint(
            model_name='lossentry',
            constraint=models.CheckConstraint(condition=models.Q(('provider_cost_micros__gte', 0), ('provider_cost_micros__lte', 1000000000000000)), name='billing_loss_provider'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='lossentry',
            trigger=pgtrigger.compiler.Trigger(name='check_outcome', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE hold_state text; events bigint; excess numeric; unmetered bigint; unbilled numeric;', func="\n    SELECT state INTO hold_state FROM billing_reservehold WHERE id = NEW.hold_id;\n    SELECT count(*), coalesce(sum(excess_micros), 0) INTO events, excess\n    FROM billing_usageevent WHERE hold_id = NEW.hold_id;\n    SELECT count(*) FILTER (WHERE reason IN ('outcome_unknown', 'usage_unknown')),\n        coalesce(sum(unbilled_micros) FILTER (WHERE reason IN ('above_hold', 'below_floor')), 0)\n    INTO unmetered, unbilled FROM billing_lossentry WHERE hold_id = NEW.hold_id;\n    IF events <> (hold_state = 'settled')::int OR unmetered <> (hold_state = 'expired')::int\n        OR excess <> unbilled THEN\n        RAISE EXCEPTION 'hold: % does not fit its usage and losses', hold_state USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n", hash='9a69ed4213e2060ee62134f74477355b8764e0f4', operation='INSERT', pgid='pgtrigger_check_outcome_1ce83', table='billing_lossentry', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='lossentry',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='fee204a230ba3d23c88e0909fcca16ebb7914a88', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_76dca', table='billing_lossentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='lossentry',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append only: % cannot be truncated', TG_TABLE_NAME;", hash='f4ab8f5141ef85e960e5af77f7b15aba8dd4152f', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_48082', table='billing_lossentry', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='reserveledgerentry',
            index=models.Index(fields=['tenant', '-seq'], name='billing_entry_page'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.UniqueConstraint(fields=('account', 'seq'), name='billing_entry_seq'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.UniqueConstraint(fields=('account', 'idempotency_key'), name='billing_entry_key'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.UniqueConstraint(condition=models.Q(('kind__in', ('topup', 'auto_topup'))), fields=('payment_intent_id',), name='billing_entry_payment'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.UniqueConstraint(condition=models.Q(('refund_id__isnull', False)), fields=('refund_id',), name='billing_entry_refund'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.UniqueConstraint(condition=models.Q(('dispute_id__isnull', False)), fields=('dispute_id', 'dispute_phase'), name='billing_entry_dispute'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'usage')), fields=('hold',), name='billing_entry_hold'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.UniqueConstraint(condition=models.Q(('promo_source__isnull', False)), fields=('promo_source',), name='billing_entry_promo'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.UniqueConstraint(condition=models.Q(('adjustment__isnull', False)), fields=('adjustment',), name='billing_entry_adjustment'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.UniqueConstraint(condition=models.Q(('expired_entry__isnull', False)), fields=('expired_entry',), name='billing_entry_expiry'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('seq__gte', 1)), name='billing_entry_seq_from_one'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('currency', 'USD')), name='billing_entry_currency'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('amount_micros', 0), _negated=True), name='billing_entry_moves'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_micros__gt', 0), ('kind__in', ('topup', 'auto_topup', 'promo_credit', 'dispute_reinstated'))), models.Q(('amount_micros__lt', 0), ('kind__in', ('usage', 'refund', 'dispute_withdrawn', 'credit_expiry'))), ('kind', 'adjustment'), _connector='OR'), name='billing_entry_sign'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('adjustment_id__isnull', True), ('dispute_id__isnull', True), ('dispute_phase__isnull', True), ('expired_entry_id__isnull', True), ('hold_id__isnull', True), ('kind', 'topup'), ('payment_intent_id__isnull', False), ('promo_source__isnull', True), ('refund_id__isnull', True)), models.Q(('adjustment_id__isnull', True), ('dispute_id__isnull', True), ('dispute_phase__isnull', True), ('expired_entry_id__isnull', True), ('hold_id__isnull', True), ('kind', 'auto_topup'), ('payment_intent_id__isnull', False), ('promo_source__isnull', True), ('refund_id__isnull', True)), models.Q(('adjustment_id__isnull', True), ('dispute_id__isnull', True), ('dispute_phase__isnull', True), ('expired_entry_id__isnull', True), ('hold_id__isnull', True), ('kind', 'promo_credit'), ('payment_intent_id__isnull', True), ('promo_source__isnull', False), ('refund_id__isnull', True)), models.Q(('adjustment_id__isnull', True), ('dispute_id__isnull', True), ('dispute_phase__isnull', True), ('expired_entry_id__isnull', True), ('hold_id__isnull', False), ('kind', 'usage'), ('payment_intent_id__isnull', True), ('promo_source__isnull', True), ('refund_id__isnull', True)), models.Q(('adjustment_id__isnull', False), ('dispute_id__isnull', True), ('dispute_phase__isnull', True), ('expired_entry_id__isnull', True), ('hold_id__isnull', True), ('kind', 'adjustment'), ('payment_intent_id__isnull', True), ('promo_source__isnull', True), ('refund_id__isnull', True)), models.Q(('adjustment_id__isnull', True), ('dispute_id__isnull', True), ('dispute_phase__isnull', True), ('expired_entry_id__isnull', True), ('hold_id__isnull', True), ('kind', 'refund'), ('payment_intent_id__isnull', True), ('promo_source__isnull', True), ('refund_id__isnull', False)), models.Q(('adjustment_id__isnull', True), ('dispute_id__isnull', False), ('dispute_phase__isnull', False), ('expired_entry_id__isnull', True), ('hold_id__isnull', True), ('kind', 'dispute_withdrawn'), ('payment_intent_id__isnull', True), ('promo_source__isnull', True), ('refund_id__isnull', True)), models.Q(('adjustment_id__isnull', True), ('dispute_id__isnull', False), ('dispute_phase__isnull', False), ('expired_entry_id__isnull', True), ('hold_id__isnull', True), ('kind', 'dispute_reinstated'), ('payment_intent_id__isnull', True), ('promo_source__isnull', True), ('refund_id__isnull', True)), models.Q(('adjustment_id__isnull', True), ('dispute_id__isnull', True), ('dispute_phase__isnull', True), ('expired_entry_id__isnull', False), ('hold_id__isnull', True), ('kind', 'credit_expiry'), ('payment_intent_id__isnull', True), ('promo_source__isnull', True), ('refund_id__isnull', True)), _connector='OR'), name='billing_entry_reference'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('kind', 'dispute_withdrawn'), _negated=True), ('dispute_phase', 'withdrawn'), _connector='OR'), models.Q(models.Q(('kind', 'dispute_reinstated'), _negated=True), ('dispute_phase', 'reinstated'), _connector='OR')), name='billing_entry_phase'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('balance_after_micros__gte', models.F('floor_micros')), ('amount_micros__gt', 0), ('kind__in', ('refund', 'dispute_withdrawn')), _connector='OR'), name='billing_entry_above_floor'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('amount_micros__gte', -1000000000000000), ('amount_micros__lte', 1000000000000000)), name='billing_entry_amount'),
        ),
        migrations.AddConstraint(
            model_name='reserveledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('balance_after_micros__gte', -1000000000000000), ('balance_after_micros__lte', 1000000000000000)), name='billing_entry_balance'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reserveledgerentry',
            trigger=pgtrigger.compiler.Trigger(name='check_chain', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE before_balance bigint; before_hash text;', func="\n    IF NEW.seq = 1 THEN\n        before_balance := 0;\n        before_hash := repeat('0', 64);\n    ELSE\n        SELECT balance_after_micros, hash INTO before_balance, before_hash\n        FROM billing_reserveledgerentry WHERE account_id = NEW.account_id AND seq = NEW.seq - 1;\n        IF NOT FOUND THEN\n            RAISE EXCEPTION 'ledger: entry % has no predecessor', NEW.seq USING ERRCODE = 'check_violation';\n        END IF;\n    END IF;\n    IF NEW.balance_after_micros <> before_balance + NEW.amount_micros THEN\n        RAISE EXCEPTION 'ledger: entry % does not add up', NEW.seq USING ERRCODE = 'check_violation';\n    END IF;\n    IF NEW.previous_hash <> before_hash\n        OR NEW.hash <> encode(sha256(convert_to(jsonb_build_array(\n        NEW.previous_hash, NEW.id, NEW.tenant_id, NEW.account_id, NEW.seq, NEW.kind, NEW.amount_micros,\n        NEW.balance_after_micros, NEW.floor_micros, NEW.currency, NEW.idempotency_key, NEW.request_hash,\n        NEW.payment_intent_id, NEW.refund_id, NEW.dispute_id, NEW.dispute_phase, NEW.hold_id, NEW.promo_source,\n        NEW.adjustment_id, NEW.expired_entry_id, NEW.actor_id, NEW.description,\n        (extract(epoch FROM NEW.created_at) * 1000000)::bigint\n    )::text, 'UTF8')), 'hex') THEN\n        RAISE EXCEPTION 'ledger: entry % breaks the hash chain', NEW.seq USING ERRCODE = 'check_violation';\n    END IF;\n    IF NEW.floor_micros <> (SELECT floor_micros FROM billing_reserveaccount WHERE id = NEW.account_id) THEN\n        RAISE EXCEPTION 'ledger: entry % names another floor than its account', NEW.seq\n            USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n", hash='513bacee6eac0999cb3466f177c1de462417c227', operation='INSERT', pgid='pgtrigger_check_chain_91b0c', table='billing_reserveledgerentry', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reserveledgerentry',
            trigger=pgtrigger.compiler.Trigger(name='check_account', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE account billing_reserveaccount%ROWTYPE; head_seq bigint; head_balance bigint; head_hash text;', func="\n    SELECT * INTO account FROM billing_reserveaccount WHERE id = NEW.account_id;\n    SELECT seq, balance_after_micros, hash INTO head_seq, head_balance, head_hash\n    FROM billing_reserveledgerentry WHERE account_id = NEW.account_id ORDER BY seq DESC LIMIT 1;\n    IF account.last_seq <> coalesce(head_seq, 0) OR account.balance_micros <> coalesce(head_balance, 0)\n        OR account.last_hash <> coalesce(head_hash, repeat('0', 64)) THEN\n        RAISE EXCEPTION 'reserve: account % differs from its last entry', NEW.account_id USING ERRCODE = 'check_violation';\n    END IF;\n    IF account.held_micros <> (\n        SELECT coalesce(sum(amount_micros), 0) FROM billing_reservehold\n        WHERE account_id = NEW.account_id AND state = 'open'\n    ) THEN\n        RAISE EXCEPTION 'reserve: account % differs from its open holds', NEW.account_id USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n", hash='32f102692ee3c5ec0ad7fd089637214cff3307af', operation='INSERT', pgid='pgtrigger_check_account_77480', table='billing_reserveledgerentry', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reserveledgerentry',
            trigger=pgtrigger.compiler.Trigger(name='check_usage', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (NEW."kind" = \'usage\')', constraint='CONSTRAINT', func="\n    IF -NEW.amount_micros <> (\n        SELECT coalesce(sum(cost_micros), 0) FROM billing_usageevent\n        WHERE settlement_id = NEW.id AND hold_id = NEW.hold_id\n    ) THEN\n        RAISE EXCEPTION 'ledger: usage entry % differs from its usage event', NEW.id USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n", hash='c90b6bd16b01dea6976797c8ec1a1ced98371ff5', operation='INSERT', pgid='pgtrigger_check_usage_cf6c6', table='billing_reserveledgerentry', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reserveledgerentry',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='a7dd7dd7988153c1da00a2a6c402f7f82c62abca', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_76f9a', table='billing_reserveledgerentry', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reserveledgerentry',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append only: % cannot be truncated', TG_TABLE_NAME;", hash='da48a9a0eea1d3c78c07432ae9e2832031b7262e', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_7d2f4', table='billing_reserveledgerentry', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='usageevent',
            index=models.Index(fields=['tenant', 'occurred_at'], include=('input_tokens', 'cached_input_tokens', 'cache_write_tokens', 'output_tokens', 'reasoning_tokens'), name='billing_event_month'),
        ),
        migrations.AddIndex(
            model_name='usageevent',
            index=models.Index(fields=['tenant', 'job_id'], include=('cost_micros',), name='billing_event_job'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.UniqueConstraint(fields=('tenant', 'idempotency_key'), name='billing_event_key'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.UniqueConstraint(fields=('tenant', 'call_id'), name='billing_event_call'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cost_micros', 0), ('settlement__isnull', True)), models.Q(('cost_micros__gt', 0), ('settlement__isnull', False)), _connector='OR'), name='billing_event_settled'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(('duration_ms__gte', 0)), name='billing_event_duration'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(('input_tokens__gte', 0), ('input_tokens__lte', 1000000000)), name='billing_event_input_tokens'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(('cached_input_tokens__gte', 0), ('cached_input_tokens__lte', 1000000000)), name='billing_event_cached_input_tokens'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(('cache_write_tokens__gte', 0), ('cache_write_tokens__lte', 1000000000)), name='billing_event_cache_write_tokens'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(('output_tokens__gte', 0), ('output_tokens__lte', 1000000000)), name='billing_event_output_tokens'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(('reasoning_tokens__gte', 0), ('reasoning_tokens__lte', 1000000000)), name='billing_event_reasoning_tokens'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gte', 0), ('quantity__lte', 1000000000)), name='billing_event_quantity'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(('cost_micros__gte', 0), ('cost_micros__lte', 1000000000000000)), name='billing_event_cost'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(('excess_micros__gte', 0), ('excess_micros__lte', 1000000000000000)), name='billing_event_excess'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.CheckConstraint(condition=models.Q(('provider_cost_micros__gte', 0), ('provider_cost_micros__lte', 1000000000000000)), name='billing_event_provider'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='usageevent',
            trigger=pgtrigger.compiler.Trigger(name='check_event', sql=pgtrigger.compiler.UpsertTriggerSql(declare='DECLARE price numeric; provider_price numeric; is_counted boolean; strange bigint;', func="\n    SELECT div(2 * coalesce(sum(c.quantity * c.price_micros * (1000000 / c.unit_size)), 0) + 1000000, 2000000), div(2 * coalesce(sum(c.quantity * c.provider_cost_micros * (1000000 / c.unit_size)), 0) + 1000000, 2000000),\n        coalesce(sum(c.quantity) FILTER (WHERE c.token_class = 'input'), 0) = NEW.input_tokens\n            AND coalesce(sum(c.quantity) FILTER (WHERE c.token_class = 'cached_input'), 0) = NEW.cached_input_tokens\n            AND coalesce(sum(c.quantity) FILTER (WHERE c.token_class = 'cache_write'), 0) = NEW.cache_write_tokens\n            AND coalesce(sum(c.quantity) FILTER (WHERE c.token_class = 'output'), 0) = NEW.output_tokens\n            AND coalesce(sum(c.quantity) FILTER (WHERE c.token_class = 'reasoning'), 0) = NEW.reasoning_tokens\n            AND coalesce(sum(c.quantity) FILTER (WHERE c.token_class = ''), 0) = NEW.quantity\n            AND coalesce(sum(c.quantity), 0) = NEW.input_tokens + NEW.cached_input_tokens + NEW.cache_write_tokens\n                + NEW.output_tokens + NEW.reasoning_tokens + NEW.quantity,\n        count(*) FILTER (\n            WHERE line.id IS NULL OR c.quantity IS NULL OR c.quantity < 0 OR c.quantity <> trunc(c.quantity)\n        )\n    INTO price, provider_price, is_counted, strange\n    FROM jsonb_to_recordset(NEW.charges) AS c(\n        line uuid, token_class text, quantity numeric, unit_size numeric, price_micros numeric,\n        provider_cost_micros numeric\n    )\n    LEFT JOIN billing_ratelineitem line ON line.id = c.line\n        AND line.version_id = NEW.rate_version_id AND line.meter = NEW.meter\n        AND (line.model_pattern = NEW.model\n            OR (right(line.model_pattern, 1) = '*' AND starts_with(NEW.model, left(line.model_pattern, -1))))\n        AND (line.token_class = c.token_class\n            OR (line.token_class = 'input' AND c.token_class IN ('cached_input', 'cache_write'))\n            OR (line.token_class = 'output' AND c.token_class = 'reasoning'))\n        AND line.unit_size = c.unit_size AND line.price_micros = c.price_micros\n        AND line.provider_cost_micros = c.provider_cost_micros;\n    IF strange > 0 THEN\n        RAISE EXCEPTION 'usage: a charge does not follow its rate line' USING ERRCODE = 'check_violation';\n    END IF;\n    IF NOT is_counted THEN\n        RAISE EXCEPTION 'usage: the counts differ from the charges' USING ERRCODE = 'check_violation';\n    END IF;\n    IF NEW.cost_micros + NEW.excess_micros <> price OR NEW.provider_cost_micros <> provider_price THEN\n        RAISE EXCEPTION 'usage: the cost is %, not %', price, NEW.cost_micros + NEW.excess_micros\n            USING ERRCODE = 'check_violation';\n    END IF;\n    IF NOT EXISTS (\n        SELECT 1 FROM billing_reservehold hold\n        WHERE hold.id = NEW.hold_id AND hold.rate_version_id = NEW.rate_version_id AND hold.meter = NEW.meter\n            AND hold.model = NEW.model AND hold.job_id = NEW.job_id AND hold.call_id = NEW.call_id\n            AND NEW.cost_micros <= hold.amount_micros\n    ) THEN\n        RAISE EXCEPTION 'usage: the event does not fit its hold' USING ERRCODE = 'check_violation';\n    END IF;\n    IF NEW.settlement_id IS NOT NULL AND NOT EXISTS (\n        SELECT 1 FROM billing_reserveledgerentry entry\n        WHERE entry.id = NEW.settlement_id AND entry.kind = 'usage' AND entry.hold_id = NEW.hold_id\n    ) THEN\n        RAISE EXCEPTION 'usage: the event is not settled by an entry of its hold' USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NEW;\n", hash='bf3fccad7c6492f67b9f05c32e96ed3e0d47e66c', operation='INSERT', pgid='pgtrigger_check_event_c25b1', table='billing_usageevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='usageevent',
            trigger=pgtrigger.compiler.Trigger(name='check_outcome', sql=pgtrigger.compiler.UpsertTriggerSql(constraint='CONSTRAINT', declare='DECLARE hold_state text; events bigint; excess numeric; unmetered bigint; unbilled numeric;', func="\n    SELECT state INTO hold_state FROM billing_reservehold WHERE id = NEW.hold_id;\n    SELECT count(*), coalesce(sum(excess_micros), 0) INTO events, excess\n    FROM billing_usageevent WHERE hold_id = NEW.hold_id;\n    SELECT count(*) FILTER (WHERE reason IN ('outcome_unknown', 'usage_unknown')),\n        coalesce(sum(unbilled_micros) FILTER (WHERE reason IN ('above_hold', 'below_floor')), 0)\n    INTO unmetered, unbilled FROM billing_lossentry WHERE hold_id = NEW.hold_id;\n    IF events <> (hold_state = 'settled')::int OR unmetered <> (hold_state = 'expired')::int\n        OR excess <> unbilled THEN\n        RAISE EXCEPTION 'hold: % does not fit its usage and losses', hold_state USING ERRCODE = 'check_violation';\n    END IF;\n    RETURN NULL;\n", hash='8df20c44ffdac2818da9293bab6d1b5435e076ac', operation='INSERT', pgid='pgtrigger_check_outcome_046ce', table='billing_usageevent', timing='DEFERRABLE INITIALLY DEFERRED', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='usageevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d1032963bc4d5d95088e81e22c87eef86b90ff28', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_fc4d3', table='billing_usageevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='usageevent',
            trigger=pgtrigger.compiler.Trigger(name='no_truncate', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'append only: % cannot be truncated', TG_TABLE_NAME;", hash='444d7ab75bab921fd0abbcfe1331bfe25255e573', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_no_truncate_0bac6', table='billing_usageevent', when='BEFORE')),
        ),
        # No row can point into another tenant.
        AddTenantReference('ReserveHold', 'account'),
        AddTenantReference('ReserveLedgerEntry', 'account'),
        AddTenantReference('ReserveLedgerEntry', 'hold'),
        AddTenantReference('ReserveLedgerEntry', 'adjustment'),
        AddTenantReference('ReserveLedgerEntry', 'expired_entry'),
        AddTenantReference('LedgerAnchor', 'account'),
        AddTenantReference('UsageEvent', 'hold'),
        AddTenantReference('UsageEvent', 'settlement'),
        AddTenantReference('LossEntry', 'hold'),
    ]
