"""Shapes of money on the wire. Micros are exact; cents are rounded down, and dollars are text."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rest_framework import serializers
from rest_framework.fields import Field

from apps.billing import selectors
from apps.billing.models import ReserveLedgerEntry, UsageEvent
from apps.billing.types import EntryKind, EntryView, Level, Meter, Policy, ReserveNotice
from apps.common.money import MAX_ABS_MICROS, MICROS_PER_CENT, cents_to_micros, format_dollars

MAX_CENTS = MAX_ABS_MICROS // MICROS_PER_CENT


class StatusBarSerializer(serializers.Serializer[Any]):
    """What the top bar of every page shows. Tokens are this calendar month's in the person's time zone."""

    reserve_balance_cents = serializers.IntegerField()
    reserve_balance_dollars = serializers.CharField()
    reserve_balance_micros = serializers.IntegerField()
    available_micros = serializers.IntegerField()
    is_low_balance = serializers.BooleanField()
    level = serializers.ChoiceField(choices=Level.choices)
    is_stopped = serializers.BooleanField()
    notice = serializers.ChoiceField(choices=ReserveNotice.choices, allow_blank=True)
    tokens_in = serializers.IntegerField()
    tokens_out = serializers.IntegerField()
    jobs_running = serializers.IntegerField()
    updated_at = serializers.DateTimeField()


class BalanceSerializer(serializers.Serializer[Any]):
    """How the reserve stands."""

    balance_cents = serializers.IntegerField()
    balance_dollars = serializers.CharField()
    balance_micros = serializers.IntegerField()
    available_micros = serializers.IntegerField()
    held_micros = serializers.IntegerField()
    currency = serializers.CharField()
    is_low_balance = serializers.BooleanField()
    low_balance_threshold_micros = serializers.IntegerField()
    level = serializers.ChoiceField(choices=Level.choices)
    policy = serializers.ChoiceField(choices=Policy.choices)


class LedgerQuerySerializer(serializers.Serializer[Any]):
    """What the ledger can be narrowed by; both days are inclusive, in the person's time zone."""

    def get_fields(self) -> dict[str, Field[Any, Any, Any, Any]]:
        # `from` is a word of Python, so it cannot be an attribute.
        return {
            "kind": serializers.ChoiceField(choices=EntryKind.choices, required=False),
            "from": serializers.DateField(required=False),
            "to": serializers.DateField(required=False),
        }

    def read_filters(self, *, zone: str) -> dict[str, Any]:
        """The filters as `list_ledger` takes them."""
        self.is_valid(raise_exception=True)
        first, last, kind = (self.validated_data.get(name) for name in ("from", "to", "kind"))
        return {
            "kind": EntryKind(kind) if kind else None,
            "since": _midnight(first, zone) if first else None,
            "before": _midnight(last + timedelta(days=1), zone) if last and last < date.max else None,
        }


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))


class LedgerLineSerializer(serializers.Serializer[UsageEvent]):
    """Why a debit was what it was."""

    text = serializers.SerializerMethodField()
    model = serializers.CharField()
    rate_card = serializers.CharField(source="rate_version")

    def get_text(self, event: UsageEvent) -> str:
        return selectors.explain_event(event)


class LedgerEntrySerializer(serializers.ModelSerializer[ReserveLedgerEntry]):
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    kind_label = serializers.CharField(source="get_kind_display")
    amount_dollars = serializers.SerializerMethodField()
    job_id = serializers.UUIDField(source="hold.job_id", default=None, allow_null=True)
    lines = LedgerLineSerializer(source="events", many=True)

    class Meta:
        model = ReserveLedgerEntry
        fields = [
            "id", "seq", "kind", "kind_label", "amount_micros", "amount_dollars", "balance_after_micros", "description",
            "created_at", "job_id", "lines",
        ]  # fmt: skip

    def get_amount_dollars(self, entry: ReserveLedgerEntry) -> str:
        return format_dollars(entry.amount_micros)


class TokensSerializer(serializers.Serializer[UsageEvent]):
    """Tokens by class; each token is in exactly one."""

    input = serializers.IntegerField(source="input_tokens")
    cached_input = serializers.IntegerField(source="cached_input_tokens")
    cache_write = serializers.IntegerField(source="cache_write_tokens")
    output = serializers.IntegerField(source="output_tokens")
    reasoning = serializers.IntegerField(source="reasoning_tokens")


class UsageEventSerializer(serializers.ModelSerializer[UsageEvent]):
    meter = serializers.ChoiceField(choices=Meter.choices)
    tokens = TokensSerializer(source="*")
    explanation = serializers.SerializerMethodField()
    rate_card = serializers.CharField(source="rate_version")

    class Meta:
        model = UsageEvent
        fields = [
            "id", "occurred_at", "meter", "model", "tokens", "quantity", "cost_micros", "explanation", "rate_card",
            "job_id", "call_id",
        ]  # fmt: skip

    def get_explanation(self, event: UsageEvent) -> str:
        return selectors.explain_event(event)


class AdjustmentSerializer(serializers.Serializer[Any]):
    """A correction by staff: exactly one of the two amounts, signed."""

    tenant = serializers.UUIDField()
    amount_cents = serializers.IntegerField(min_value=-MAX_CENTS, max_value=MAX_CENTS, required=False)
    amount_micros = serializers.IntegerField(min_value=-MAX_ABS_MICROS, max_value=MAX_ABS_MICROS, required=False)
    reason = serializers.CharField(max_length=500)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("amount_cents" in attrs) == ("amount_micros" in attrs):
            raise serializers.ValidationError({"amount_micros": ["Give either amount_micros or amount_cents."]})
        if "amount_cents" in attrs:
            attrs["amount_micros"] = cents_to_micros(attrs.pop("amount_cents"))
        return attrs


class AdjustedSerializer(serializers.Serializer[EntryView]):
    id = serializers.UUIDField()
    seq = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    amount_micros = serializers.IntegerField()
    balance_after_micros = serializers.IntegerField()
