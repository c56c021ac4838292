"""The reserve over HTTP: the status bar, the balance and the ledger."""

from typing import Any, Final

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.billing.csv_files import answer_ledger
from apps.api.billing.serializers import (
    BalanceSerializer,
    LedgerEntrySerializer,
    LedgerQuerySerializer,
    StatusBarSerializer,
)
from apps.billing import selectors
from apps.billing.models import ReserveLedgerEntry
from apps.billing.selectors_payments import iterate_entries
from apps.billing.types import EntryKind
from apps.common import clock
from apps.common.money import cents_as_dollars, micros_to_cents
from apps.orchestration.selectors import count_running_jobs

LEDGER_FILTERS: Final = [
    OpenApiParameter("kind", str, enum=EntryKind.values),
    OpenApiParameter("from", OpenApiTypes.DATE, description="First day, in your time zone."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="Last day, in your time zone."),
]


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
                "is_stopped": balance.is_stopped,
                "notice": balance.notice.value,
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


def find_entries(request: Request) -> Any:
    """The movements that the request asks for."""
    actor = get_actor(request)
    filters = LedgerQuerySerializer(data=request.query_params).read_filters(zone=actor.time_zone)
    return selectors.list_ledger(tenant=actor.tenant, **filters)


class LedgerView(generics.ListAPIView[ReserveLedgerEntry]):
    serializer_class = LedgerEntrySerializer

    def get_queryset(self) -> Any:
        return find_entries(self.request)

    @extend_schema(operation_id="billing_ledger_list", tags=["billing"], parameters=LEDGER_FILTERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The ledger, newest first."""
        return super().get(request, *args, **kwargs)


class LedgerExportView(APIView):
    @extend_schema(
        operation_id="billing_ledger_export",
        tags=["billing"],
        parameters=LEDGER_FILTERS,
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The same list, whole, as a file."""
        return answer_ledger(entries=iterate_entries(entries=find_entries(request)))
