"""Shapes of payments, their documents, plans, and of what a customer may ask for about them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.api.billing.serializers import MAX_CENTS
from apps.billing.models import BillingDocument, PaymentAttempt
from apps.billing.payment_types import AutoTopupState, DocumentKind, PaymentKind, PaymentState
from apps.billing.selectors_payments import SUBSCRIBABLE, name_subject
from apps.billing.types import Meter, PlanTier, TokenClass
from apps.common.money import CURRENCY, MAX_ABS_MICROS, micros_to_cents

PLANS_FOR_SALE = [(plan.value, plan.label) for plan in SUBSCRIBABLE]


class CardSerializer(serializers.Serializer[Any]):
    """A card, as far as it may be named."""

    brand = serializers.CharField()
    last4 = serializers.CharField()


class PaymentSerializer(serializers.Serializer[PaymentAttempt]):
    """A top-up, as it stands. `checkout_url` is where it can be paid while it is open."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=PaymentKind.choices)
    kind_label = serializers.CharField(source="get_kind_display")
    state = serializers.ChoiceField(choices=PaymentState.choices)
    state_label = serializers.CharField(source="get_state_display")
    amount_micros = serializers.IntegerField()
    amount_cents = serializers.SerializerMethodField()
    currency = serializers.CharField()
    created_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    failure_code = serializers.CharField()
    failure_message = serializers.CharField()
    card = serializers.SerializerMethodField()
    refunded_micros = serializers.IntegerField()
    disputed_micros = serializers.IntegerField()
    document_id = serializers.UUIDField(allow_null=True)
    checkout_url = serializers.SerializerMethodField()

    def get_amount_cents(self, payment: PaymentAttempt) -> int:
        return micros_to_cents(payment.amount_micros)

    @extend_schema_field(CardSerializer(allow_null=True))
    def get_card(self, payment: PaymentAttempt) -> dict[str, str] | None:
        """None before a card has been tried."""
        return {"brand": payment.card_brand, "last4": payment.card_last4} if payment.card_last4 else None

    def get_checkout_url(self, payment: PaymentAttempt) -> str | None:
        """Never for support: whoever has the address can pay there."""
        is_payable = payment.state == PaymentState.OPEN and not self.context.get("is_borrowed", False)
        return payment.checkout_url or None if is_payable else None


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction: money is never read out of a text."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class TopupWishSerializer(serializers.Serializer[Any]):
    """How much to pay, in whole cents. All else about the payment is decided here."""

    amount_cents = WholeNumberField(min_value=1, max_value=MAX_CENTS)
    currency = serializers.ChoiceField(choices=[CURRENCY], required=False, help_text="There is but one.")
    save_card = serializers.BooleanField(default=False, help_text="Keep the card for automatic top-ups.")


class TopupStartedSerializer(serializers.Serializer[Any]):
    payment_id = serializers.UUIDField()
    session_id = serializers.CharField()
    checkout_url = serializers.CharField()


class ConfirmTopupSerializer(serializers.Serializer[Any]):
    session_id = serializers.CharField(max_length=255)


class PortalSerializer(serializers.Serializer[Any]):
    portal_url = serializers.CharField()


class SubscriptionWishSerializer(serializers.Serializer[Any]):
    plan = serializers.ChoiceField(choices=PLANS_FOR_SALE)


class SubscriptionStartedSerializer(serializers.Serializer[Any]):
    session_id = serializers.CharField()
    checkout_url = serializers.CharField()


class AutoTopupSerializer(serializers.Serializer[Any]):
    """The automatic top-up: the owner's settings and where the machine stands."""

    is_on = serializers.BooleanField()
    threshold_micros = serializers.IntegerField()
    amount_micros = serializers.IntegerField()
    monthly_cap_micros = serializers.IntegerField()
    spent_this_month_micros = serializers.IntegerField()
    state = serializers.ChoiceField(choices=AutoTopupState.choices)
    last_decline_code = serializers.CharField()
    cooling_until = serializers.DateTimeField(allow_null=True)


class AutoTopupChangesSerializer(serializers.Serializer[Any]):
    """What is left out stays as it is."""

    is_on = serializers.BooleanField(required=False)
    threshold_micros = serializers.IntegerField(min_value=0, max_value=MAX_ABS_MICROS, required=False)
    amount_micros = serializers.IntegerField(min_value=1, max_value=MAX_ABS_MICROS, required=False)
    monthly_cap_micros = serializers.IntegerField(min_value=1, max_value=MAX_ABS_MICROS, required=False)


class SubscriptionSerializer(serializers.Serializer[Any]):
    """The plan's subscription; `status` is Stripe's word for it."""

    status = serializers.CharField()
    period_end = serializers.DateTimeField(allow_null=True)
    cancels_at_period_end = serializers.BooleanField()


class SavedCardSerializer(CardSerializer):
    exp_month = serializers.IntegerField(allow_null=True)
    exp_year = serializers.IntegerField(allow_null=True)


class PlanLineSerializer(serializers.Serializer[Any]):
    """What `unit_size` units of a meter cost."""

    meter = serializers.ChoiceField(choices=Meter.choices)
    model_pattern = serializers.CharField()
    token_class = serializers.ChoiceField(choices=TokenClass.choices, allow_blank=True)
    unit_size = serializers.IntegerField()
    price_micros = serializers.IntegerField()
    is_free = serializers.BooleanField()


class PlanSerializer(serializers.Serializer[Any]):
    """A plan and its prices in force. `can_subscribe` says whether it can be had at the checkout now."""

    plan = serializers.ChoiceField(choices=PlanTier.choices)
    name = serializers.CharField()
    is_current = serializers.BooleanField()
    can_subscribe = serializers.BooleanField()
    rate_card = serializers.CharField()
    lines = PlanLineSerializer(many=True)


class BillingDocumentSerializer(serializers.Serializer[BillingDocument]):
    """A receipt, credit note or invoice, to be had as PDF."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    kind_label = serializers.CharField(source="get_kind_display")
    number = serializers.SerializerMethodField()
    amount_micros = serializers.IntegerField()
    amount_cents = serializers.SerializerMethodField()
    currency = serializers.CharField()
    issued_at = serializers.DateTimeField()
    subject_label = serializers.SerializerMethodField()

    def get_number(self, document: BillingDocument) -> str:
        return str(document)

    def get_amount_cents(self, document: BillingDocument) -> int:
        return micros_to_cents(document.amount_micros)

    def get_subject_label(self, document: BillingDocument) -> str:
        return name_subject(document)
