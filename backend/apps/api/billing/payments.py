"""Paying over HTTP: what is started here ends on the payment service's own pages.

Their services commit what they are about to do, ask the payment service outside any transaction, and find what they
began again by the caller's key.
"""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.billing.payment_serializers import (
    ConfirmTopupSerializer,
    PaymentSerializer,
    TopupStartedSerializer,
    TopupWishSerializer,
)
from apps.api.idempotency import keyed, make_request_key
from apps.api.limits import PAYMENT_CHECKS, TOPUPS
from apps.billing import selectors_payments as selectors
from apps.billing.models import PaymentAttempt
from apps.billing.services.payments.checkout import cancel_topup, start_topup
from apps.billing.services.payments.looking import confirm_topup
from apps.common import clock


def answer_payment(request: Request, payment_id: UUID) -> Response:
    """The payment as it stands now, as far as the caller may see it."""
    actor = get_actor(request)
    payment = selectors.get_payment(tenant=actor.tenant, payment_id=payment_id)
    return Response(PaymentSerializer(payment, context={"is_borrowed": actor.grant_id is not None}).data)


class PaymentListView(generics.ListAPIView[PaymentAttempt]):
    serializer_class = PaymentSerializer

    @extend_schema(operation_id="billing_payments_list", tags=["billing"])
    def get(self, request: Request) -> Response:
        """The tenant's payments, newest first."""
        actor = get_actor(request)
        payments: Any = selectors.list_payments(tenant=actor.tenant)
        page: Any = self.paginate_queryset(payments) or []
        context = {"is_borrowed": actor.grant_id is not None}
        return self.get_paginated_response(PaymentSerializer(page, many=True, context=context).data)


class PaymentView(APIView):
    @extend_schema(operation_id="billing_payments_retrieve", tags=["billing"], responses=PaymentSerializer)
    def get(self, request: Request, payment_id: UUID) -> Response:
        """One payment as we know it; `topup/confirm/` asks the payment service as well."""
        return answer_payment(request, payment_id)


class PaymentCancelView(APIView):
    limits = TOPUPS

    @extend_schema(operation_id="billing_payments_cancel", tags=["billing"], request=None, responses=PaymentSerializer)
    @keyed()
    def post(self, request: Request, payment_id: UUID) -> Response:
        """Closes the page of a payment that is still open. What was paid in the meantime stays paid."""
        cancel_topup(actor=get_actor(request), payment_id=payment_id, now=clock.now())
        return answer_payment(request, payment_id)


class TopupSessionView(APIView):
    limits = TOPUPS

    @extend_schema(
        operation_id="billing_topup_session",
        tags=["billing"],
        request=TopupWishSerializer,
        responses={201: TopupStartedSerializer},
    )
    @keyed()
    def post(self, request: Request) -> Response:
        """Starts a top-up and says where to pay it. The same key leads to the same page."""
        wish = TopupWishSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        started = start_topup(
            actor=get_actor(request),
            amount_cents=wish.validated_data["amount_cents"],
            saves_card=wish.validated_data["save_card"],
            request_key=make_request_key(request),
            now=clock.now(),
        )
        shown = TopupStartedSerializer(
            {
                "payment_id": started.attempt_id,
                "session_id": started.session_id,
                "checkout_url": started.checkout_url,
            }
        )
        return Response(shown.data, status=status.HTTP_201_CREATED)


class TopupConfirmView(APIView):
    limits = PAYMENT_CHECKS

    @extend_schema(
        operation_id="billing_topup_confirm",
        tags=["billing"],
        request=ConfirmTopupSerializer,
        responses=PaymentSerializer,
    )
    def post(self, request: Request) -> Response:
        """Asks the payment service how a top-up stands, and books it if it was paid: for the page that comes back."""
        actor, wish = get_actor(request), ConfirmTopupSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        payment_id = confirm_topup(actor=actor, session_id=wish.validated_data["session_id"], now=clock.now())
        return answer_payment(request, payment_id)
