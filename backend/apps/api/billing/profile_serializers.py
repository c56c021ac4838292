"""Shapes of a customer's billing settings."""

from typing import Any

from rest_framework import serializers

from apps.api.billing.payment_serializers import (
    AutoTopupChangesSerializer,
    AutoTopupSerializer,
    SavedCardSerializer,
    SubscriptionSerializer,
)
from apps.billing.types import PlanTier, Policy
from apps.common.money import MAX_ABS_MICROS


class PaymentTermsSerializer(serializers.Serializer[Any]):
    """Whether anything can be paid here, and how much at once."""

    is_set_up = serializers.BooleanField()
    min_cents = serializers.IntegerField()
    max_cents = serializers.IntegerField()


class RunwaySerializer(serializers.Serializer[Any]):
    """How many days the reserve lasts at the pace of late; null while nothing is spent."""

    days = serializers.IntegerField(allow_null=True)
    daily_micros = serializers.IntegerField()


class BillingProfileSerializer(serializers.Serializer[Any]):
    """The plan, what an owner may set, and how the money stands. `debt_micros` is what is owed after a reversal."""

    plan = serializers.ChoiceField(choices=PlanTier.choices)
    low_balance_threshold_micros = serializers.IntegerField()
    policy = serializers.ChoiceField(choices=Policy.choices)
    is_policy_fixed = serializers.BooleanField()
    floor_micros = serializers.IntegerField()
    billing_email = serializers.CharField()
    billing_name = serializers.CharField()
    billing_address = serializers.CharField()
    tax_id = serializers.CharField()
    stripe_customer_id = serializers.CharField(allow_null=True)
    rate_card = serializers.CharField()
    subscription = SubscriptionSerializer(allow_null=True)
    payments = PaymentTermsSerializer()
    saved_card = SavedCardSerializer(allow_null=True)
    auto_topup = AutoTopupSerializer()
    runway = RunwaySerializer()
    debt_micros = serializers.IntegerField()
    is_stopped = serializers.BooleanField()


class BillingChangesSerializer(serializers.Serializer[Any]):
    low_balance_threshold_micros = serializers.IntegerField(min_value=0, max_value=MAX_ABS_MICROS, required=False)
    policy = serializers.ChoiceField(choices=Policy.choices, required=False)
    billing_email = serializers.EmailField(max_length=254, allow_blank=True, required=False)
    billing_name = serializers.CharField(max_length=200, allow_blank=True, required=False)
    billing_address = serializers.CharField(max_length=500, allow_blank=True, required=False)
    tax_id = serializers.CharField(max_length=64, allow_blank=True, required=False)
    auto_topup = AutoTopupChangesSerializer(required=False)
