"""A customer's billing settings over HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.billing.payment_serializers import AutoTopupSerializer, PlanSerializer
from apps.api.billing.profile_serializers import BillingChangesSerializer, BillingProfileSerializer
from apps.api.idempotency import idempotent
from apps.api.permissions import IsSession, check_session
from apps.billing import selectors, selectors_costs, selectors_payments
from apps.billing.services.payments import automatic
from apps.billing.services.profiles import BillingChanges, edit_billing
from apps.common import clock
from apps.common.errors import Invalid
from apps.tenants.types import Actor


def present_profile(*, actor: Actor, now: datetime) -> dict[str, Any]:
    """Plan, settings, the prices in force and how the money stands."""
    profile = selectors.get_billing_profile(tenant=actor.tenant)
    balance = selectors.get_balance(tenant=actor.tenant)
    shown = {
        "plan": profile.plan,
        "low_balance_threshold_micros": balance.low_balance_threshold_micros,
        "policy": balance.policy.value,
        "is_policy_fixed": balance.is_policy_fixed,
        "floor_micros": balance.floor_micros,
        "billing_email": profile.billing_email,
        "billing_name": profile.billing_name,
        "billing_address": profile.billing_address,
        "tax_id": profile.tax_id,
        "stripe_customer_id": profile.stripe_customer_id,
        "rate_card": selectors.get_rate_card_label(tenant=actor.tenant, at=now),
        "subscription": selectors_payments.view_subscription(profile),
        "payments": {
            "is_set_up": bool(settings.STRIPE_SECRET_KEY),
            "min_cents": settings.TOPUP_MIN_CENTS,
            "max_cents": settings.TOPUP_MAX_CENTS,
        },
        "saved_card": selectors_payments.view_card(profile),
        "auto_topup": selectors_payments.get_auto_topup(tenant=actor.tenant, now=now),
        "runway": selectors_costs.get_runway(tenant=actor.tenant, now=now),
        "debt_micros": max(0, -balance.balance_micros) if balance.is_stopped else 0,
        "is_stopped": balance.is_stopped,
    }
    return dict(BillingProfileSerializer(shown).data)


class BillingProfileView(APIView):
    @extend_schema(operation_id="billing_profile", tags=["billing"], responses=BillingProfileSerializer)
    def get(self, request: Request) -> Response:
        return Response(present_profile(actor=get_actor(request), now=clock.now()))

    @extend_schema(
        operation_id="billing_profile_edit",
        tags=["billing"],
        request=BillingChangesSerializer,
        responses=BillingProfileSerializer,
    )
    @idempotent
    def patch(self, request: Request) -> Response:
        """For owners. What is left out stays as it is. The automatic top-up needs a person, not a personal token."""
        actor, now = get_actor(request), clock.now()
        wish = BillingChangesSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        changes = dict(wish.validated_data)
        auto_topup = changes.pop("auto_topup", None)
        if auto_topup is not None:
            check_session(request)
        with transaction.atomic():
            edit_billing(actor=actor, changes=BillingChanges(**changes), now=now)
            if auto_topup is not None:
                _edit_auto_topup(actor, auto_topup, now)
        return Response(present_profile(actor=actor, now=now))


def _edit_auto_topup(actor: Actor, changes: Mapping[str, Any], now: datetime) -> None:
    """Raises what the service raises, with the fields as the body names them."""
    try:
        automatic.edit_settings(actor=actor, changes=changes, now=now)
    except Invalid as error:
        raise Invalid(
            error.text, fields={f"auto_topup.{name}": texts for name, texts in error.fields.items()}
        ) from error


class AutoTopupResumeView(APIView):
    permission_classes = (IsAuthenticated, IsSession)

    @extend_schema(
        operation_id="billing_auto_topup_resume", tags=["billing"], request=None, responses=AutoTopupSerializer
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """For owners: lets an automatic top-up that stopped after declines try again."""
        actor, now = get_actor(request), clock.now()
        automatic.resume(actor=actor, now=now)
        return Response(AutoTopupSerializer(selectors_payments.get_auto_topup(tenant=actor.tenant, now=now)).data)


class PlanListView(APIView):
    @extend_schema(operation_id="billing_plans", tags=["billing"], responses=PlanSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All plans with their prices in force."""
        plans = selectors_payments.list_plans(tenant=get_actor(request).tenant, now=clock.now())
        return Response(PlanSerializer(plans, many=True).data)
