"""People and customers, for staff."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.idempotency import idempotent
from apps.api.permissions import IsFreshToChange, IsStaff
from apps.api.staff.serializers import (
    EditUserSerializer,
    MessageSerializer,
    OptionalReasonSerializer,
    ReasonSerializer,
    TenantDetailSerializer,
    TenantQuerySerializer,
    TenantRowSerializer,
    UserQuerySerializer,
    UserRowSerializer,
)
from apps.api.tenants.serializers import MemberSerializer
from apps.billing.selectors import get_standings
from apps.common import clock
from apps.tenants.models import Profile, Tenant
from apps.tenants.selectors import staff as selectors
from apps.tenants.services import staff

STAFF = (IsAuthenticated, IsStaff)
FRESH_STAFF = (IsAuthenticated, IsStaff, IsFreshToChange)


def read(serializer: type[Serializer[Any]], data: Any) -> dict[str, Any]:
    """The checked input; raises what becomes a 400."""
    wish = serializer(data=data)
    wish.is_valid(raise_exception=True)
    return dict(wish.validated_data)


def answer_user(request: Request, user_id: UUID) -> Response:
    """The person as they stand now."""
    row = selectors.get_person(actor=get_actor(request), user_id=user_id, now=clock.now())
    return Response(UserRowSerializer(row).data)


class UserListView(generics.ListAPIView[Profile]):
    permission_classes = STAFF
    serializer_class = UserRowSerializer

    def get_queryset(self) -> Any:
        wish = read(UserQuerySerializer, self.request.query_params)
        return selectors.list_people(actor=get_actor(self.request), **wish, now=clock.now())

    @extend_schema(operation_id="admin_users_list", tags=["staff"], parameters=[UserQuerySerializer])
    def get(self, request: Request) -> Response:
        """Everybody, the newest first."""
        profiles = self.paginate_queryset(self.get_queryset()) or []
        rows = selectors.view_people(actor=get_actor(request), profiles=profiles)
        return self.get_paginated_response(UserRowSerializer(rows, many=True).data)


class UserView(APIView):
    permission_classes = FRESH_STAFF

    @extend_schema(operation_id="admin_users_retrieve", tags=["staff"], responses=UserRowSerializer)
    def get(self, request: Request, user_id: UUID) -> Response:
        return answer_user(request, user_id)

    @extend_schema(
        operation_id="admin_users_edit", tags=["staff"], request=EditUserSerializer, responses=UserRowSerializer
    )
    @idempotent
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Open or close the account; for superusers, make or unmake staff."""
        changes = read(EditUserSerializer, request.data)
        staff.change_person(actor=get_actor(request), user_id=user_id, **changes, now=clock.now())
        return answer_user(request, user_id)


class UserPasswordResetView(APIView):
    permission_classes = STAFF

    @extend_schema(
        operation_id="admin_users_password_reset",
        tags=["staff"],
        request=OptionalReasonSerializer,
        responses={202: MessageSerializer},
    )
    @idempotent
    def post(self, request: Request, user_id: UUID) -> Response:
        """Mail the person a link to a new password."""
        reason = read(OptionalReasonSerializer, request.data)["reason"]
        staff.send_reset(actor=get_actor(request), user_id=user_id, reason=reason, now=clock.now())
        return Response({"message": "The mail is on its way."}, status=status.HTTP_202_ACCEPTED)


class UserRevokeTokensView(APIView):
    permission_classes = STAFF

    @extend_schema(
        operation_id="admin_users_revoke_tokens",
        tags=["staff"],
        request=OptionalReasonSerializer,
        responses=UserRowSerializer,
    )
    @idempotent
    def post(self, request: Request, user_id: UUID) -> Response:
        """Sign the person out everywhere."""
        reason = read(OptionalReasonSerializer, request.data)["reason"]
        staff.revoke_tokens(actor=get_actor(request), user_id=user_id, reason=reason, now=clock.now())
        return answer_user(request, user_id)


class UserSecondFactorResetView(APIView):
    permission_classes = FRESH_STAFF

    @extend_schema(
        operation_id="admin_users_second_factor_reset",
        tags=["staff"],
        request=ReasonSerializer,
        responses=UserRowSerializer,
    )
    @idempotent
    def post(self, request: Request, user_id: UUID) -> Response:
        """Take a lost second factor away, and sign the person out everywhere."""
        reason = read(ReasonSerializer, request.data)["reason"]
        staff.reset_second_factor(actor=get_actor(request), user_id=user_id, reason=reason, now=clock.now())
        return answer_user(request, user_id)


class TenantListView(generics.ListAPIView[Tenant]):
    permission_classes = STAFF
    serializer_class = TenantRowSerializer

    def get_queryset(self) -> Any:
        wish = read(TenantQuerySerializer, self.request.query_params)
        return selectors.list_tenants(actor=get_actor(self.request), **wish)

    @extend_schema(operation_id="admin_tenants_list", tags=["staff"], parameters=[TenantQuerySerializer])
    def get(self, request: Request) -> Response:
        """Every customer, the newest first."""
        rows = selectors.view_tenants(tenants=self.paginate_queryset(self.get_queryset()) or [])
        context = {"standings": get_standings(tenants=[row.id for row in rows])}
        return self.get_paginated_response(TenantRowSerializer(rows, many=True, context=context).data)


class TenantDetailView(APIView):
    permission_classes = STAFF

    @extend_schema(operation_id="admin_tenants_retrieve", tags=["staff"], responses=TenantDetailSerializer)
    def get(self, request: Request, tenant_id: UUID) -> Response:
        """One customer with its people."""
        actor = get_actor(request)
        row = selectors.get_tenant_row(actor=actor, tenant_id=tenant_id)
        context = {"standings": get_standings(tenants=[tenant_id])}
        members = MemberSerializer(selectors.list_people_of(actor=actor, tenant_id=tenant_id), many=True).data
        return Response({**TenantRowSerializer(row, context=context).data, "members": members})
