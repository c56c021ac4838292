"""What staff do about payments over HTTP."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.billing.staff import FRESH_STAFF, STAFF
from apps.api.billing.staff_serializers import RefundSerializer, RefundWishSerializer, StripeEventSerializer
from apps.api.idempotency import idempotent, keyed, make_request_key
from apps.api.limits import REFUNDS
from apps.billing.selectors_payments import get_stripe_event
from apps.billing.services.payments import refunds
from apps.billing.services.payments.inbox import retry_event
from apps.common import clock


class RefundView(APIView):
    permission_classes = FRESH_STAFF
    limits = REFUNDS

    @extend_schema(
        operation_id="billing_admin_refunds_create",
        tags=["staff"],
        request=RefundWishSerializer,
        responses={201: RefundSerializer},
    )
    @keyed(is_required=True)
    def post(self, request: Request) -> Response:
        """Gives a payment back, whole or in part, to the card that it came from; the reserve loses as much."""
        wish = RefundWishSerializer(data=request.data).read_wish()
        refund = refunds.ask_refund(
            actor=get_actor(request), **wish, request_key=make_request_key(request), clock=clock.now
        )
        return Response(RefundSerializer(refund).data, status=status.HTTP_201_CREATED)


class StripeEventRetryView(APIView):
    permission_classes = STAFF

    @extend_schema(
        operation_id="billing_admin_stripe_events_retry",
        tags=["staff"],
        request=None,
        responses=StripeEventSerializer,
    )
    @idempotent
    def post(self, request: Request, message_id: UUID) -> Response:
        """Lets a message that was parked or failed be worked again."""
        retry_event(actor=get_actor(request), event_row_id=message_id, now=clock.now())
        return Response(StripeEventSerializer(get_stripe_event(event_row_id=message_id)).data)
