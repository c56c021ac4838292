"""The ways to the payment service's pages for cards and plans, over HTTP."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.billing.payment_serializers import (
    PortalSerializer,
    SubscriptionStartedSerializer,
    SubscriptionWishSerializer,
)
from apps.api.idempotency import keyed, make_request_key
from apps.api.limits import PAYMENT_PAGES
from apps.api.permissions import IsSession
from apps.billing.services.payments.customers import start_portal
from apps.billing.services.payments.subscriptions import start_subscription
from apps.billing.types import PlanTier
from apps.common import clock


class PortalSessionView(APIView):
    permission_classes = (IsAuthenticated, IsSession)
    limits = PAYMENT_PAGES

    @extend_schema(
        operation_id="billing_portal_session", tags=["billing"], request=None, responses={201: PortalSerializer}
    )
    @keyed()
    def post(self, request: Request) -> Response:
        """For owners: the way to the payment service's page for cards and the subscription, a new one each time."""
        url = start_portal(actor=get_actor(request), now=clock.now())
        return Response({"portal_url": url}, status=status.HTTP_201_CREATED)


class SubscriptionSessionView(APIView):
    permission_classes = (IsAuthenticated, IsSession)
    limits = PAYMENT_PAGES

    @extend_schema(
        operation_id="billing_subscription_session",
        tags=["billing"],
        request=SubscriptionWishSerializer,
        responses={201: SubscriptionStartedSerializer},
    )
    @keyed()
    def post(self, request: Request) -> Response:
        """For owners: the way to the payment service's page on which a plan is taken."""
        wish = SubscriptionWishSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        session = start_subscription(
            actor=get_actor(request),
            plan=PlanTier(wish.validated_data["plan"]),
            request_key=make_request_key(request),
            now=clock.now(),
        )
        return Response(SubscriptionStartedSerializer(session).data, status=status.HTTP_201_CREATED)
