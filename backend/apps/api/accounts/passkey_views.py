"""Invite passkeys for staff."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.accounts.passkey_serializers import (
    CreatePasskeySerializer,
    NewPasskeySerializer,
    PasskeyFilterSerializer,
    PasskeySerializer,
)
from apps.api.authentication import get_actor
from apps.api.idempotency import idempotent
from apps.api.permissions import IsStaff
from apps.common import clock
from apps.common.ids import TenantId
from apps.common.money import cents_to_micros
from apps.invitations import selectors, services
from apps.invitations.types import PasskeyState
from apps.tenants.types import Role


class PasskeyListView(generics.ListAPIView[Any]):
    permission_classes = (IsAuthenticated, IsStaff)
    serializer_class = PasskeySerializer

    def get_queryset(self) -> QuerySet[Any]:
        wish = PasskeyFilterSerializer(data=self.request.query_params)
        wish.is_valid(raise_exception=True)
        state = wish.validated_data.get("state")
        return selectors.list_passkeys(
            actor=get_actor(self.request), state=PasskeyState(state) if state else None, now=clock.now()
        )

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        now = clock.now()
        page = super().paginate_queryset(queryset) or []
        return [selectors.view_passkey(passkey=passkey, now=now) for passkey in page]

    @extend_schema(parameters=[PasskeyFilterSerializer], tags=["staff"], operation_id="admin_passkeys_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Invite passkeys, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=CreatePasskeySerializer,
        responses={201: NewPasskeySerializer},
        tags=["staff"],
        operation_id="admin_passkeys_create",
    )
    @idempotent(secrets=("passkey",))
    def post(self, request: Request) -> Response:
        """Make an invite passkey. The answer is the only place where the key is ever shown."""
        wish = CreatePasskeySerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        terms = wish.validated_data
        view, raw = services.create_passkey(
            actor=get_actor(request),
            note=terms["note"],
            expires_at=terms["expires_at"],
            bound_email=terms["bound_email"],
            promo_credit_micros=cents_to_micros(terms["promo_credit_cents"]),
            tenant=TenantId(terms["tenant"]) if terms["tenant"] else None,
            role=Role(terms["role"]) if terms["role"] else None,
            now=clock.now(),
        )
        return Response({**PasskeySerializer(view).data, "passkey": raw}, status=status.HTTP_201_CREATED)


class PasskeyView(APIView):
    permission_classes = (IsAuthenticated, IsStaff)

    @extend_schema(responses=PasskeySerializer, tags=["staff"], operation_id="admin_passkeys_retrieve")
    def get(self, request: Request, passkey_id: UUID) -> Response:
        """One invite passkey."""
        view = selectors.get_passkey(actor=get_actor(request), passkey_id=passkey_id, now=clock.now())
        return Response(PasskeySerializer(view).data)


class PasskeyRevokeView(APIView):
    permission_classes = (IsAuthenticated, IsStaff)

    @extend_schema(request=None, responses=PasskeySerializer, tags=["staff"], operation_id="admin_passkeys_revoke")
    @idempotent
    def post(self, request: Request, passkey_id: UUID) -> Response:
        """Withdraw an invite passkey that nobody has used."""
        view = services.revoke_passkey(actor=get_actor(request), passkey_id=passkey_id, now=clock.now())
        return Response(PasskeySerializer(view).data)
