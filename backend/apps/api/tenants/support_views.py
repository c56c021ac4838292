"""Support access: what people let staff see, and what staff looked at."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.idempotency import idempotent
from apps.api.permissions import IsFreshToChange, IsSession
from apps.api.tenants.serializers import AccessSerializer, GrantSerializer, OpenGrantSerializer
from apps.common import clock
from apps.tenants.models import SupportAccess
from apps.tenants.selectors import support as selectors
from apps.tenants.services import support
from apps.tenants.types import GrantScope


class GrantListView(generics.ListAPIView[Any]):
    permission_classes = (IsAuthenticated, IsFreshToChange)
    serializer_class = GrantSerializer

    def get_queryset(self) -> Any:
        return selectors.list_grants(actor=get_actor(self.request))

    def paginate_queryset(self, queryset: Any) -> list[Any]:
        now = clock.now()
        page = super().paginate_queryset(queryset) or []
        return [selectors.view_grant(grant=grant, now=now) for grant in page]

    @extend_schema(operation_id="tenant_support_grants_list", tags=["tenant"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One's own grants, newest first; for owners everybody's in the tenant."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="tenant_support_grants_create",
        tags=["tenant"],
        request=OpenGrantSerializer,
        responses={201: GrantSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Let staff see what you see, of some areas and for some minutes. Each look is kept and shown to you."""
        wish = OpenGrantSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        scopes = [GrantScope(scope) for scope in sorted(wish.validated_data["scopes"])]
        grant = support.open_grant(
            actor=get_actor(request),
            reason=wish.validated_data["reason"],
            scopes=scopes,
            minutes=wish.validated_data["minutes"],
            now=clock.now(),
        )
        return Response(GrantSerializer(grant).data, status=status.HTTP_201_CREATED)


class GrantRevokeView(APIView):
    # Taking back must never wait for a password.
    permission_classes = (IsAuthenticated, IsSession)

    @extend_schema(
        operation_id="tenant_support_grants_revoke", tags=["tenant"], request=None, responses=GrantSerializer
    )
    @idempotent
    def post(self, request: Request, grant_id: UUID) -> Response:
        """End a grant at once."""
        grant = support.revoke_grant(actor=get_actor(request), grant_id=grant_id, now=clock.now())
        return Response(GrantSerializer(grant).data)


@extend_schema_view(get=extend_schema(operation_id="tenant_support_grants_accesses", tags=["tenant"]))
class GrantAccessesView(generics.ListAPIView[SupportAccess]):
    """What staff looked at by the grant, newest first."""

    serializer_class = AccessSerializer

    def get_queryset(self) -> Any:
        return selectors.list_accesses(actor=get_actor(self.request), grant_id=self.kwargs["grant_id"])
