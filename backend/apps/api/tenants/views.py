"""The tenant and its people."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.idempotency import idempotent
from apps.api.permissions import IsFreshToChange, IsSessionToChange
from apps.api.tenants.serializers import (
    ChangeRoleSerializer,
    EditTenantSerializer,
    MemberDetailSerializer,
    MemberSerializer,
    OwnTenantSerializer,
    TransferSerializer,
)
from apps.common import clock
from apps.common.scopes import SystemScope, bind_system
from apps.orchestration import members as orchestration
from apps.tenants.models import Profile
from apps.tenants.selectors import members as selectors
from apps.tenants.services import members
from apps.tenants.types import Role


class TenantView(APIView):
    permission_classes = (IsAuthenticated, IsSessionToChange)

    @extend_schema(operation_id="tenant", tags=["tenant"], responses=OwnTenantSerializer)
    def get(self, request: Request) -> Response:
        return Response(OwnTenantSerializer(selectors.get_tenant(actor=get_actor(request))).data)

    @extend_schema(
        operation_id="tenant_edit", tags=["tenant"], request=EditTenantSerializer, responses=OwnTenantSerializer
    )
    @idempotent
    def patch(self, request: Request) -> Response:
        """For owners."""
        actor, wish = get_actor(request), EditTenantSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        members.rename_tenant(actor=actor, name=wish.validated_data["name"], now=clock.now())
        return Response(OwnTenantSerializer(selectors.get_tenant(actor=actor)).data)


class MemberListView(generics.ListAPIView[Profile]):
    """Everybody in the tenant, longest first."""

    serializer_class = MemberSerializer

    def get_queryset(self) -> Any:
        return selectors.list_members(actor=get_actor(self.request))

    @extend_schema(operation_id="tenant_members_list", tags=["tenant"])
    def get(self, request: Request) -> Response:
        profiles = self.paginate_queryset(self.get_queryset()) or []
        rows = selectors.view_members(actor=get_actor(request), profiles=profiles)
        return self.get_paginated_response(MemberSerializer(rows, many=True).data)


class MemberView(APIView):
    permission_classes = (IsAuthenticated, IsFreshToChange)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "DELETE":
            # Whoever leaves goes on in a tenant that is made for them.
            bind_system(SystemScope.MEMBERSHIP)

    @extend_schema(operation_id="tenant_members_retrieve", tags=["tenant"], responses=MemberDetailSerializer)
    def get(self, request: Request, user_id: UUID) -> Response:
        """One person, with what it would mean if they left."""
        actor = get_actor(request)
        row = selectors.get_member_row(actor=actor, user_id=user_id)
        consequences = orchestration.list_consequences(actor=actor, user_id=user_id)
        return Response({**MemberSerializer(row).data, "consequences": consequences})

    @extend_schema(
        operation_id="tenant_members_edit", tags=["tenant"], request=ChangeRoleSerializer, responses=MemberSerializer
    )
    @idempotent
    def patch(self, request: Request, user_id: UUID) -> Response:
        """For owners: gives the person another role."""
        actor, wish = get_actor(request), ChangeRoleSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        role = Role(wish.validated_data["role"])
        orchestration.change_role(actor=actor, user_id=user_id, role=role, now=clock.now())
        return _answer_member(request, user_id)

    @extend_schema(operation_id="tenant_members_delete", tags=["tenant"], responses={204: None})
    @idempotent
    def delete(self, request: Request, user_id: UUID) -> Response:
        """For owners, or for oneself: the person leaves the tenant and is signed out everywhere."""
        orchestration.remove_member(actor=get_actor(request), user_id=user_id, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class TransferView(APIView):
    permission_classes = (IsAuthenticated, IsFreshToChange)

    @extend_schema(
        operation_id="tenant_transfer", tags=["tenant"], request=TransferSerializer, responses=MemberSerializer
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """For owners: another person becomes owner, and the caller a member."""
        wish = TransferSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        heir = wish.validated_data["member"]
        orchestration.transfer_ownership(actor=get_actor(request), user_id=heir, now=clock.now())
        return _answer_member(request, heir)


def _answer_member(request: Request, user_id: UUID) -> Response:
    """The person as they stand now, seen by the caller in the role that they have now."""
    actor = selectors.refresh_actor(actor=get_actor(request))
    return Response(MemberSerializer(selectors.get_member_row(actor=actor, user_id=user_id)).data)
