"""Invite passkeys into one's own tenant, for its owners."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.accounts.passkey_serializers import NewPasskeySerializer, PasskeyFilterSerializer, PasskeySerializer
from apps.api.authentication import get_actor
from apps.api.idempotency import idempotent
from apps.api.permissions import IsSession
from apps.api.tenants.serializers import InviteSerializer
from apps.common import clock
from apps.invitations import selectors, services
from apps.invitations.types import PasskeyState
from apps.tenants.types import Role


class TenantPasskeyListView(generics.ListAPIView[Any]):
    permission_classes = (IsAuthenticated, IsSession)
    serializer_class = PasskeySerializer

    def get_queryset(self) -> Any:
        wish = PasskeyFilterSerializer(data=self.request.query_params)
        wish.is_valid(raise_exception=True)
        state = wish.validated_data.get("state")
        return selectors.list_tenant_passkeys(
            actor=get_actor(self.request), state=PasskeyState(state) if state else None, now=clock.now()
        )

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        now = clock.now()
        page = super().paginate_queryset(queryset) or []
        return [selectors.view_passkey(passkey=passkey, now=now) for passkey in page]

    @extend_schema(parameters=[PasskeyFilterSerializer], tags=["tenant"], operation_id="tenant_passkeys_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """For owners: invite passkeys into the tenant, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=InviteSerializer,
        responses={201: NewPasskeySerializer},
        tags=["tenant"],
        operation_id="tenant_passkeys_create",
    )
    @idempotent(secrets=("passkey",))
    def post(self, request: Request) -> Response:
        """For owners: make a key. The answer is the only place where it is ever shown."""
        wish = InviteSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        terms = {**wish.validated_data, "role": Role(wish.validated_data["role"])}
        view, raw = services.create_tenant_passkey(actor=get_actor(request), **terms, now=clock.now())
        return Response({**PasskeySerializer(view).data, "passkey": raw}, status=status.HTTP_201_CREATED)


class TenantPasskeyRevokeView(APIView):
    permission_classes = (IsAuthenticated, IsSession)

    @extend_schema(request=None, responses=PasskeySerializer, tags=["tenant"], operation_id="tenant_passkeys_revoke")
    @idempotent
    def post(self, request: Request, passkey_id: UUID) -> Response:
        """For owners: withdraw a key that nobody has used."""
        view = services.revoke_tenant_passkey(actor=get_actor(request), passkey_id=passkey_id, now=clock.now())
        return Response(PasskeySerializer(view).data)
