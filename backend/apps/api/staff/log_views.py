"""The audit of the whole house, and what people let support see, for staff."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.audit import AuditQuerySerializer, AuditSerializer
from apps.api.authentication import get_actor
from apps.api.permissions import IsStaff
from apps.api.staff.serializers import StaffGrantSerializer
from apps.common import clock
from apps.observability.models import AuditEvent
from apps.tenants.models import SupportGrant
from apps.tenants.selectors import audit as selectors
from apps.tenants.selectors import support


class StaffAuditQuerySerializer(AuditQuerySerializer):
    """Staff also narrow by customer."""

    tenant = serializers.UUIDField(required=False)

    def read_filters(self, *, zone: str) -> dict[str, Any]:
        """The filters as the selector takes them."""
        filters = super().read_filters(zone=zone)
        return {**filters, "tenant": self.validated_data.get("tenant")}


class AuditView(generics.ListAPIView[AuditEvent]):
    permission_classes = (IsAuthenticated, IsStaff)
    serializer_class = AuditSerializer

    def get_queryset(self) -> Any:
        actor = get_actor(self.request)
        wish = StaffAuditQuerySerializer(data=self.request.query_params).read_filters(zone=actor.time_zone)
        return selectors.list_all_audit(actor=actor, **wish)

    @extend_schema(operation_id="admin_audit_list", tags=["staff"], parameters=[StaffAuditQuerySerializer])
    def get(self, request: Request) -> Response:
        """Who changed what anywhere, newest first."""
        events = self.paginate_queryset(self.get_queryset()) or []
        rows = selectors.view_audit(events=events, is_for_staff=True)
        return self.get_paginated_response(AuditSerializer(rows, many=True).data)


class SupportGrantView(generics.ListAPIView[SupportGrant]):
    permission_classes = (IsAuthenticated, IsStaff)
    serializer_class = StaffGrantSerializer

    def get_queryset(self) -> Any:
        return support.list_open_grants(now=clock.now())

    @extend_schema(operation_id="admin_support_grants_list", tags=["staff"])
    def get(self, request: Request) -> Response:
        """What people let support see right now, newest first."""
        now = clock.now()
        grants = self.paginate_queryset(self.get_queryset()) or []
        rows = [support.view_staff_grant(grant=grant, now=now) for grant in grants]
        return self.get_paginated_response(StaffGrantSerializer(rows, many=True).data)
