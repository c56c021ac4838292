"""What was used and what it cost, and what the house had to bear."""

from uuid import UUID

import pgtrigger
from django.db import models
from django.db.models import Q

from apps.billing.models import rules
from apps.billing.models.ledger import ReserveLedgerEntry
from apps.billing.models.rates import RateCardVersion
from apps.billing.models.reserve import ReserveHold
from apps.billing.types import MAX_QUANTITY, TOKEN_CLASSES, UNBILLED_LOSSES, LossReason, Meter
from apps.common.db import append_only, micros_range
from apps.common.ids import uuid7
from apps.common.tenancy import TenantOwned

COUNTS = (*(f"{token_class.value}_tokens" for token_class in TOKEN_CLASSES), "quantity")


class UsageEvent(TenantOwned):
    """One metered use with everything that its price rests on. Append-only.

    `charges` holds each class's quantity with its rate line, frozen. cost + excess is their exact sum, rounded half up
    once; the database recomputes it. `cost_micros` is what the customer paid; `excess_micros` lay above the hold.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # No index of its own: that of the month begins alike.
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)
    hold = models.OneToOneField(ReserveHold, on_delete=models.PROTECT, related_name="+")
    hold_id: UUID
    settlement = models.ForeignKey(ReserveLedgerEntry, on_delete=models.PROTECT, null=True, related_name="events")
    settlement_id: UUID | None
    idempotency_key = models.CharField(max_length=255)
    job_id = models.UUIDField()
    call_id = models.UUIDField()
    meter = models.CharField(max_length=40, choices=Meter.choices)
    model = models.CharField(max_length=120)
    rate_version = models.ForeignKey(RateCardVersion, on_delete=models.PROTECT, related_name="+")
    rate_version_id: UUID
    input_tokens = models.BigIntegerField(default=0)
    cached_input_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    quantity = models.BigIntegerField(default=0)
    charges = models.JSONField()
    cost_micros = models.BigIntegerField()
    excess_micros = models.BigIntegerField(default=0)
    provider_cost_micros = models.BigIntegerField()
    provider_request_id = models.CharField(max_length=255, blank=True)
    duration_ms = models.BigIntegerField()
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "idempotency_key"], name="billing_event_key"),
            models.UniqueConstraint(fields=["tenant", "call_id"], name="billing_event_call"),
            models.CheckConstraint(
                condition=Q(cost_micros=0, settlement__isnull=True) | Q(cost_micros__gt=0, settlement__isnull=False),
                name="billing_event_settled",
            ),
            models.CheckConstraint(condition=Q(duration_ms__gte=0), name="billing_event_duration"),
            *(
                models.CheckConstraint(
                    condition=Q(**{f"{count}__gte": 0, f"{count}__lte": MAX_QUANTITY}), name=f"billing_event_{count}"
                )
                for count in COUNTS
            ),
            micros_range("cost_micros", name="billing_event_cost", minimum=0),
            micros_range("excess_micros", name="billing_event_excess", minimum=0),
            micros_range("provider_cost_micros", name="billing_event_provider", minimum=0),
        ]
        indexes = [
            # The status bar sums a month of this from the index alone.
            models.Index(
                fields=["tenant", "occurred_at"],
                include=[
                    "input_tokens",
                    "cached_input_tokens",
                    "cache_write_tokens",
                    "output_tokens",
                    "reasoning_tokens",
                ],
                name="billing_event_month",
            ),
            models.Index(fields=["tenant", "job_id"], include=["cost_micros"], name="billing_event_job"),
        ]
        triggers = [
            rules.check_event(),
            rules.check_hold_outcome(column="hold_id", operation=pgtrigger.Insert),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.meter} {self.model} {self.cost_micros}"


class LossEntry(TenantOwned):
    """Spend that the house bears. Append-only; at most one a call.

    `unbilled_micros` is the price that nobody paid (for an unknown outcome: that of the ceiling) and
    `provider_cost_micros` what the provider may ask without any usage event carrying it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    hold = models.OneToOneField(ReserveHold, on_delete=models.PROTECT, related_name="+")
    hold_id: UUID
    job_id = models.UUIDField()
    call_id = models.UUIDField()
    reason = models.CharField(max_length=24, choices=LossReason.choices)
    unbilled_micros = models.BigIntegerField()
    provider_cost_micros = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "loss entries"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "call_id"], name="billing_loss_call"),
            models.CheckConstraint(condition=Q(reason__in=LossReason.values), name="billing_loss_reason"),
            models.CheckConstraint(
                condition=~Q(reason__in=UNBILLED_LOSSES) | Q(unbilled_micros__gt=0, provider_cost_micros=0),
                name="billing_loss_beside_event",
            ),
            micros_range("unbilled_micros", name="billing_loss_unbilled", minimum=0),
            micros_range("provider_cost_micros", name="billing_loss_provider", minimum=0),
        ]
        triggers = [rules.check_hold_outcome(column="hold_id", operation=pgtrigger.Insert), *append_only()]

    def __str__(self) -> str:
        return f"{self.reason} {self.unbilled_micros}"
