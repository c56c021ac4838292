"""The tenant's own audit, for its owners."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.audit import AuditQuerySerializer, AuditSerializer, answer_csv
from apps.api.authentication import get_actor
from apps.api.permissions import IsSession
from apps.observability.models import AuditEvent
from apps.tenants.selectors import audit as selectors


class TenantAuditView(generics.ListAPIView[AuditEvent]):
    """For owners: who changed what in the tenant, newest first."""

    permission_classes = (IsAuthenticated, IsSession)
    serializer_class = AuditSerializer

    def get_queryset(self) -> Any:
        return find_events(self.request)

    @extend_schema(operation_id="tenant_audit_list", tags=["tenant"], parameters=[AuditQuerySerializer])
    def get(self, request: Request) -> Response:
        events = self.paginate_queryset(self.get_queryset()) or []
        rows = selectors.view_audit(events=events, is_for_staff=False)
        return self.get_paginated_response(AuditSerializer(rows, many=True).data)


class TenantAuditExportView(APIView):
    permission_classes = (IsAuthenticated, IsSession)

    @extend_schema(
        operation_id="tenant_audit_export",
        tags=["tenant"],
        parameters=[AuditQuerySerializer],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """The same list, whole, as a file."""
        rows = selectors.iterate_audit(events=find_events(request), is_for_staff=False)
        return answer_csv(rows=rows, name="afterresume-audit.csv")


def find_events(request: Request) -> Any:
    """What the request asks for."""
    actor = get_actor(request)
    wish = AuditQuerySerializer(data=request.query_params).read_filters(zone=actor.time_zone)
    return selectors.list_tenant_audit(actor=actor, **wish)
