"""Money over HTTP for staff: over all customers."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.billing import csv_files
from apps.api.billing.serializers import AdjustedSerializer, AdjustmentSerializer
from apps.api.billing.staff_serializers import (
    DisputeSerializer,
    LedgerExportQuerySerializer,
    PolicyChangesSerializer,
    PolicySerializer,
    ReserveSummarySerializer,
    StaffPaymentQuerySerializer,
    StaffPaymentSerializer,
    StripeEventQuerySerializer,
    StripeEventSerializer,
)
from apps.api.billing.usage_serializers import CostGroupsSerializer, CostQuerySerializer
from apps.api.idempotency import HEADER, idempotent
from apps.api.permissions import IsFresh, IsStaff
from apps.billing import selectors_payments as selectors
from apps.billing.models import PaymentAttempt, PaymentDispute, StripeEvent
from apps.billing.payment_types import PaymentState, StripeEventState
from apps.billing.selectors import find_last_proof
from apps.billing.selectors_costs import get_reserve_summary, group_costs
from apps.billing.services.credits import adjust_reserve
from apps.billing.services.policies import PolicyChanges, set_policy
from apps.billing.types import Policy
from apps.common import clock
from apps.common.tenancy import TenantId

STAFF = (IsAuthenticated, IsStaff)
FRESH_STAFF = (IsAuthenticated, IsStaff, IsFresh)


class ReserveSummaryView(APIView):
    permission_classes = STAFF

    @extend_schema(operation_id="billing_admin_reserve_summary", tags=["staff"], responses=ReserveSummarySerializer)
    def get(self, request: Request) -> Response:
        """How all reserves stand together, which ones need a look, and when the books were last proved."""
        summary = get_reserve_summary(now=clock.now())
        shown = {
            **{name: getattr(summary, name) for name in summary.__slots__},
            "last_proof": find_last_proof(),
            "last_reconcile": {"at": summary.reconciled_at} if summary.reconciled_at else None,
        }
        return Response(ReserveSummarySerializer(shown).data)


class CostsView(APIView):
    permission_classes = STAFF

    @extend_schema(
        operation_id="billing_admin_usage_costs",
        tags=["staff"],
        parameters=[CostQuerySerializer],
        responses=CostGroupsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Prices, provider costs, losses and margin by customer, model or day."""
        filters = CostQuerySerializer(data=request.query_params).read_filters()
        return Response(CostGroupsSerializer(group_costs(**filters)).data)


class AdjustReserveView(APIView):
    permission_classes = STAFF

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


class ReservePolicyView(APIView):
    permission_classes = STAFF

    @extend_schema(
        operation_id="billing_admin_reserve_policy",
        tags=["staff"],
        request=PolicyChangesSerializer,
        responses=PolicySerializer,
    )
    @idempotent
    def patch(self, request: Request, tenant_id: UUID) -> Response:
        """How far a customer's reserve may be spent, and whether the customer may choose. What is left out stays."""
        wish = PolicyChangesSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        changes = dict(wish.validated_data)
        reason = changes.pop("reason")
        if "policy" in changes:
            changes["policy"] = Policy(changes["policy"])
        set_by = get_actor(request)
        values = set_policy(
            actor=set_by,
            tenant=TenantId(tenant_id),
            changes=PolicyChanges(**changes),
            reason=reason,
            now=clock.now(),
        )
        return Response(PolicySerializer(asdict(values)).data)


class StaffPaymentListView(generics.ListAPIView[PaymentAttempt]):
    permission_classes = STAFF
    serializer_class = StaffPaymentSerializer

    def get_queryset(self) -> Any:
        wish = StaffPaymentQuerySerializer(data=self.request.query_params)
        wish.is_valid(raise_exception=True)
        state = wish.validated_data.get("state")
        tenant = wish.validated_data.get("tenant")
        return selectors.list_all_payments(tenant=tenant, state=PaymentState(state) if state else None)

    @extend_schema(operation_id="billing_admin_payments_list", tags=["staff"], parameters=[StaffPaymentQuerySerializer])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Payments of all customers, newest first."""
        return super().get(request, *args, **kwargs)


class StaffPaymentView(APIView):
    permission_classes = STAFF

    @extend_schema(operation_id="billing_admin_payments_retrieve", tags=["staff"], responses=StaffPaymentSerializer)
    def get(self, request: Request, payment_id: UUID) -> Response:
        """One payment of whichever customer."""
        return Response(StaffPaymentSerializer(selectors.get_payment_for_staff(payment_id=payment_id)).data)


class AllLedgersExportView(APIView):
    permission_classes = STAFF

    @extend_schema(
        operation_id="billing_admin_ledger_export",
        tags=["staff"],
        parameters=[LedgerExportQuerySerializer],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Movements of all customers, or of one, oldest first, as a file."""
        zone = get_actor(request).time_zone
        filters = LedgerExportQuerySerializer(data=request.query_params).read_filters(zone=zone)
        entries = selectors.iterate_entries(entries=selectors.list_all_entries(**filters))
        return csv_files.answer_all_ledgers(entries=entries)


class StripeEventListView(generics.ListAPIView[StripeEvent]):
    permission_classes = STAFF
    serializer_class = StripeEventSerializer

    def get_queryset(self) -> Any:
        wish = StripeEventQuerySerializer(data=self.request.query_params)
        wish.is_valid(raise_exception=True)
        state = wish.validated_data.get("state")
        kind = wish.validated_data.get("type", "")
        return selectors.list_stripe_events(state=StripeEventState(state) if state else None, kind=kind)

    @extend_schema(
        operation_id="billing_admin_stripe_events_list", tags=["staff"], parameters=[StripeEventQuerySerializer]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What Stripe has told us, newest first, and how far we are with it."""
        return super().get(request, *args, **kwargs)


class DisputeListView(generics.ListAPIView[PaymentDispute]):
    permission_classes = STAFF
    serializer_class = DisputeSerializer

    def get_queryset(self) -> Any:
        return selectors.list_disputes()

    @extend_schema(operation_id="billing_admin_disputes_list", tags=["staff"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Disputed payments of all customers, newest first."""
        return super().get(request, *args, **kwargs)
