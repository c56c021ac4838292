"""Metered use over HTTP: one by one, in groups, and why it cost what it did."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.billing.serializers import UsageEventSerializer
from apps.api.billing.usage_serializers import (
    UsageDetailSerializer,
    UsageGroupsSerializer,
    UsagePageSerializer,
    UsageQuerySerializer,
)
from apps.billing import selectors_costs
from apps.billing.models import UsageEvent
from apps.orchestration.selectors_usage import group_usage


class UsageView(generics.ListAPIView[UsageEvent]):
    serializer_class = UsageEventSerializer

    @extend_schema(
        operation_id="billing_usage_list",
        tags=["billing"],
        parameters=[UsageQuerySerializer],
        responses=PolymorphicProxySerializer(
            component_name="UsageAnswer",
            serializers=[UsagePageSerializer, UsageGroupsSerializer],
            resource_type_field_name=None,
            many=False,
        ),
    )
    def get(self, request: Request) -> Response:
        """Metered use, newest first, each with what it cost and why; or, with `group_by`, in groups that add up."""
        actor = get_actor(request)
        wanted, group_by = UsageQuerySerializer(data=request.query_params).read_filter(zone=actor.time_zone)
        if group_by is not None:
            return Response(UsageGroupsSerializer(group_usage(actor=actor, group_by=group_by, wanted=wanted)).data)
        events: Any = selectors_costs.list_usage_events(tenant=actor.tenant, wanted=wanted)
        page = self.paginate_queryset(events) or []
        return self.get_paginated_response(UsageEventSerializer(page, many=True).data)


class UsageDetailView(APIView):
    @extend_schema(operation_id="billing_usage_retrieve", tags=["billing"], responses=UsageDetailSerializer)
    def get(self, request: Request, event_id: UUID) -> Response:
        """One use with its cost reckoned again, step by step."""
        event = selectors_costs.get_usage_event(tenant=get_actor(request).tenant, event_id=event_id)
        return Response(UsageDetailSerializer(event).data)
