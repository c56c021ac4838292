"""Shapes of money for staff."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import Field

from apps.api.billing.payment_serializers import PaymentSerializer, WholeNumberField
from apps.api.billing.serializers import MAX_CENTS
from apps.api.days import begin_of, end_of
from apps.api.people import TenantNameSerializer
from apps.billing.cost_types import ReserveStanding
from apps.billing.payment_types import DisputeState, PaymentState, RefundState, StripeEventState
from apps.billing.types import Level, Policy
from apps.common.money import MAX_ABS_MICROS, cents_to_micros


class ReserveStandingSerializer(serializers.Serializer[ReserveStanding]):
    """A customer whose reserve needs a look."""

    tenant = serializers.SerializerMethodField()
    balance_micros = serializers.IntegerField()
    available_micros = serializers.IntegerField()
    level = serializers.ChoiceField(choices=Level.choices)
    policy = serializers.ChoiceField(choices=Policy.choices)

    @extend_schema_field(TenantNameSerializer)
    def get_tenant(self, standing: ReserveStanding) -> dict[str, str]:
        return {"id": str(standing.tenant), "name": standing.name}


class ProofSerializer(serializers.Serializer[Any]):
    """The newest proof of the whole ledger."""

    at = serializers.DateTimeField()
    is_ok = serializers.BooleanField()
    accounts = serializers.IntegerField()
    entries = serializers.IntegerField()
    events = serializers.IntegerField()
    problems = serializers.IntegerField()
    first_broken = serializers.CharField()


class ReconcileSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()


class ReserveSummarySerializer(serializers.Serializer[Any]):
    """All reserves together. Liability is the sum of the positive balances; months are calendar months in UTC."""

    accounts = serializers.IntegerField()
    balance_micros = serializers.IntegerField()
    liability_micros = serializers.IntegerField()
    debt_micros = serializers.IntegerField()
    held_micros = serializers.IntegerField()
    low = ReserveStandingSerializer(many=True)
    stopped = ReserveStandingSerializer(many=True)
    paid_in_month_micros = serializers.IntegerField()
    used_in_month_micros = serializers.IntegerField()
    losses_in_month_micros = serializers.IntegerField()
    last_proof = ProofSerializer(allow_null=True)
    last_reconcile = ReconcileSerializer(allow_null=True)
    open_disputes = serializers.IntegerField()


class PolicyChangesSerializer(serializers.Serializer[Any]):
    """What is left out stays as it is."""

    policy = serializers.ChoiceField(choices=Policy.choices, required=False)
    floor_micros = serializers.IntegerField(min_value=-MAX_ABS_MICROS, max_value=0, required=False)
    is_policy_fixed = serializers.BooleanField(required=False)
    reason = serializers.CharField(max_length=500)


class PolicySerializer(serializers.Serializer[Any]):
    policy = serializers.ChoiceField(choices=Policy.choices)
    floor_micros = serializers.IntegerField()
    is_policy_fixed = serializers.BooleanField()


class StaffPaymentSerializer(PaymentSerializer):
    """A payment with its customer, and without the address where it can be paid."""

    tenant = TenantNameSerializer()
    checkout_url = None  # type: ignore[assignment]  # how REST framework takes an inherited field away


class StaffPaymentQuerySerializer(serializers.Serializer[Any]):
    tenant = serializers.UUIDField(required=False)
    state = serializers.ChoiceField(choices=PaymentState.choices, required=False)


class RefundWishSerializer(serializers.Serializer[Any]):
    """How much of a payment to give back; all that is left of it when no amount is named."""

    payment = serializers.UUIDField()
    amount_cents = WholeNumberField(min_value=1, max_value=MAX_CENTS, required=False)
    reason = serializers.CharField(max_length=500)

    def read_wish(self) -> dict[str, Any]:
        """The wish as `ask_refund` takes it."""
        self.is_valid(raise_exception=True)
        fields = self.validated_data
        cents: int | None = fields.get("amount_cents")
        return {
            "payment_id": fields["payment"],
            "amount_micros": None if cents is None else cents_to_micros(cents),
            "reason": fields["reason"],
        }


class RefundSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    payment_id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=RefundState.choices)
    amount_micros = serializers.IntegerField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()


class StripeEventQuerySerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=StripeEventState.choices, required=False)
    type = serializers.CharField(max_length=100, required=False)


class StripeEventSerializer(serializers.Serializer[Any]):
    """A message of Stripe's, and how far we are with it."""

    id = serializers.UUIDField()
    event_id = serializers.CharField()
    type = serializers.CharField()
    livemode = serializers.BooleanField()
    object_id = serializers.CharField()
    state = serializers.ChoiceField(choices=StripeEventState.choices)
    attempts = serializers.IntegerField()
    last_error = serializers.CharField()
    received_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    done_at = serializers.DateTimeField(allow_null=True)


class DisputeSerializer(serializers.Serializer[Any]):
    """A payment that its card's holder disputes; `stripe_status` is Stripe's own word."""

    id = serializers.UUIDField()
    tenant = TenantNameSerializer()
    payment_id = serializers.UUIDField(source="attempt_id")
    stripe_dispute_id = serializers.CharField()
    state = serializers.ChoiceField(choices=DisputeState.choices)
    stripe_status = serializers.CharField()
    reason = serializers.CharField()
    amount_micros = serializers.IntegerField()
    clawed_back_micros = serializers.IntegerField()
    evidence_due_by = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class LedgerExportQuerySerializer(serializers.Serializer[Any]):
    """What the file of all movements can be narrowed by; both days are inclusive, in the caller's time zone."""

    tenant = serializers.UUIDField(required=False)

    def get_fields(self) -> dict[str, Field[Any, Any, Any, Any]]:
        days = {name: serializers.DateField(required=False) for name in ("from", "to")}
        return {**super().get_fields(), **days}

    def read_filters(self, *, zone: str) -> dict[str, Any]:
        """The filters as `list_all_entries` takes them."""
        self.is_valid(raise_exception=True)
        fields = self.validated_data
        return {
            "tenant": fields.get("tenant"),
            "since": begin_of(fields.get("from"), zone=zone),
            "before": end_of(fields.get("to"), zone=zone),
        }
