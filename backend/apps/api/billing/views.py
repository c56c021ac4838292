"""Money over HTTP."""

from datetime import datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.billing.serializers import (
    AdjustedSerializer,
    AdjustmentSerializer,
    BalanceSerializer,
    BillingChangesSerializer,
    BillingProfileSerializer,
    LedgerEntrySerializer,
    LedgerQuerySerializer,
    StatusBarSerializer,
    UsageEventSerializer,
)
from apps.api.idempotency import HEADER, idempotent
from apps.api.permissions import IsStaff
from apps.billing import selectors
from apps.billing.models import ReserveLedgerEntry, UsageEvent
from apps.billing.services.credits import adjust_reserve
from apps.billing.services.profiles import BillingChanges, edit_billing
from apps.billing.types import EntryKind
from apps.common import clock
from apps.common.money import cents_as_dollars, micros_to_cents
from apps.orchestration.selectors import count_running_jobs
from apps.tenants.types import Actor


class StatusBarView(APIView):
    @extend_schema(operation_id="status_bar", tags=["billing"], responses=StatusBarSerializer)
    def get(self, request: Request) -> Response:
        """Asked for by every open page twice a minute: three small queries beside the one for the token."""
        actor, now = get_actor(request), clock.now()
        balance = selectors.get_balance(tenant=actor.tenant)
        month = clock.month_start_in(actor.time_zone, now=now)
        tokens_in, tokens_out = selectors.sum_tokens(tenant=actor.tenant, since=month)
        cents = micros_to_cents(balance.balance_micros)
        return Response(
            {
                "reserve_balance_cents": cents,
                "reserve_balance_dollars": cents_as_dollars(cents),
                "reserve_balance_micros": balance.balance_micros,
                "available_micros": balance.available_micros,
                "is_low_balance": balance.is_low,
                "level": balance.level.value,
                "tokens_in": tokens_in,
                "tokens_out": tokens_out,
                "jobs_running": count_running_jobs(tenant=actor.tenant),
                "updated_at": now,
            }
        )


class BalanceView(APIView):
    @extend_schema(operation_id="billing_balance", tags=["billing"], responses=BalanceSerializer)
    def get(self, request: Request) -> Response:
        balance = selectors.get_balance(tenant=get_actor(request).tenant)
        cents = micros_to_cents(balance.balance_micros)
        return Response(
            {
                "balance_cents": cents,
                "balance_dollars": cents_as_dollars(cents),
                "balance_micros": balance.balance_micros,
                "available_micros": balance.available_micros,
                "held_micros": balance.held_micros,
                "currency": balance.currency,
                "is_low_balance": balance.is_low,
                "low_balance_threshold_micros": balance.low_balance_threshold_micros,
                "level": balance.level.value,
                "policy": balance.policy.value,
            }
        )


@extend_schema_view(
    get=extend_schema(
        operation_id="billing_ledger_list",
        tags=["billing"],
        parameters=[
            OpenApiParameter("kind", str, enum=EntryKind.values),
            OpenApiParameter("from", OpenApiTypes.DATE, description="First day, in your time zone."),
            OpenApiParameter("to", OpenApiTypes.DATE, description="Last day, in your time zone."),
        ],
    )
)
class LedgerView(generics.ListAPIView[ReserveLedgerEntry]):
    """The ledger, newest first."""

    serializer_class = LedgerEntrySerializer

    def get_queryset(self) -> Any:
        actor = get_actor(self.request)
        filters = LedgerQuerySerializer(data=self.request.query_params).read_filters(zone=actor.time_zone)
        return selectors.list_ledger(tenant=actor.tenant, **filters)


@extend_schema_view(get=extend_schema(operation_id="billing_usage_list", tags=["billing"]))
class UsageView(generics.ListAPIView[UsageEvent]):
    """Metered use, newest first, each with what it cost and why."""

    serializer_class = UsageEventSerializer

    def get_queryset(self) -> Any:
        return selectors.list_usage(tenant=get_actor(self.request).tenant)


def present_profile(*, actor: Actor, now: datetime) -> dict[str, Any]:
    """Plan, settings and the prices in force."""
    profile = selectors.get_billing_profile(tenant=actor.tenant)
    balance = selectors.get_balance(tenant=actor.tenant)
    return {
        "plan": profile.plan,
        "low_balance_threshold_micros": balance.low_balance_threshold_micros,
        "policy": balance.policy.value,
        "billing_email": profile.billing_email,
        "stripe_customer_id": profile.stripe_customer_id,
        "rate_card": selectors.get_rate_card_label(tenant=actor.tenant, at=now),
    }


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
        """For owners. What is left out stays as it is."""
        actor, now = get_actor(request), clock.now()
        changes = BillingChangesSerializer(data=request.data)
        changes.is_valid(raise_exception=True)
        edit_billing(actor=actor, changes=BillingChanges(**changes.validated_data), now=now)
        return Response(present_profile(actor=actor, now=now))


class AdjustReserveView(APIView):
    permission_classes = (IsAuthenticated, IsStaff)

    @extend_schema(
        operation_id="billing_admin_reserve_adjust",
        tags=["staff"],
        request=AdjustmentSerializer,
        responses={201: AdjustedSerializer},
    )
    @idempotent(is_required=True)
    def post(self, request: Request) -> Response:
        """For staff: corrects a customer's reserve, with the reason on record."""
        wish = AdjustmentSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        key = request.headers[HEADER].strip()
        entry = adjust_reserve(actor=get_actor(request), **wish.validated_data, idempotency_key=key, now=clock.now())
        return Response(AdjustedSerializer(entry).data, status=status.HTTP_201_CREATED)
