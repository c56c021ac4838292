"""The worklog over HTTP."""

from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.idempotency import idempotent
from apps.api.worklog.filters import EntryFilter
from apps.api.worklog.serializers import (
    DefaultsSerializer,
    EditEntrySerializer,
    EntrySerializer,
    EntryVersionSerializer,
    LineSerializer,
    NameSerializer,
    QuickLineSerializer,
    WriteEntrySerializer,
)
from apps.common import clock
from apps.tenants.types import Actor
from apps.worklog import selectors, services
from apps.worklog.models import WorkLog
from apps.worklog.types import NameKind


def present_entry(*, actor: Actor, entry: WorkLog) -> dict[str, Any]:
    """An entry as the actor sees it."""
    return dict(EntrySerializer(entry, context={"actor": actor}).data)


class EntryListView(generics.ListAPIView[WorkLog]):
    queryset = WorkLog.objects.none()  # what the OpenAPI schema learns the types of the filters from
    serializer_class = EntrySerializer
    filter_backends = [DjangoFilterBackend]
    filterset_class = EntryFilter

    def get_queryset(self) -> Any:
        return selectors.list_entries(actor=get_actor(self.request))

    def get_serializer_context(self) -> dict[str, Any]:
        return {"actor": get_actor(self.request)}

    @extend_schema(operation_id="worklogs_list", tags=["worklogs"])
    def get(self, request: Request) -> Response:
        return self.list(request)

    @extend_schema(
        operation_id="worklogs_create",
        tags=["worklogs"],
        request=WriteEntrySerializer,
        responses={201: EntrySerializer},
        filters=False,
    )
    @idempotent
    def post(self, request: Request) -> Response:
        actor, wish = get_actor(request), WriteEntrySerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        entry = services.create_entry(actor=actor, draft=wish.read_draft(), now=clock.now())
        return Response(present_entry(actor=actor, entry=entry), status=status.HTTP_201_CREATED)


class EntryView(APIView):
    @extend_schema(operation_id="worklogs_retrieve", tags=["worklogs"], responses=EntrySerializer)
    def get(self, request: Request, entry_id: UUID) -> Response:
        actor = get_actor(request)
        return Response(present_entry(actor=actor, entry=selectors.get_entry(actor=actor, entry_id=entry_id)))

    @extend_schema(
        operation_id="worklogs_update", tags=["worklogs"], request=EditEntrySerializer, responses=EntrySerializer
    )
    @idempotent
    def patch(self, request: Request, entry_id: UUID) -> Response:
        actor, wish = get_actor(request), EditEntrySerializer(data=request.data, partial=True)
        wish.is_valid(raise_exception=True)
        entry = services.edit_entry(
            actor=actor,
            entry_id=entry_id,
            changes=wish.read_changes(),
            expected_version=wish.validated_data.get("version"),
            now=clock.now(),
        )
        return Response(present_entry(actor=actor, entry=entry))

    @extend_schema(operation_id="worklogs_delete", tags=["worklogs"], responses={204: None})
    @idempotent
    def delete(self, request: Request, entry_id: UUID) -> Response:
        services.delete_entry(actor=get_actor(request), entry_id=entry_id, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class EntryRestoreView(APIView):
    @extend_schema(operation_id="worklogs_restore", tags=["worklogs"], request=None, responses=EntrySerializer)
    @idempotent
    def post(self, request: Request, entry_id: UUID) -> Response:
        actor = get_actor(request)
        entry = services.restore_entry(actor=actor, entry_id=entry_id, now=clock.now())
        return Response(present_entry(actor=actor, entry=entry))


@extend_schema_view(get=extend_schema(operation_id="worklogs_versions_list", tags=["worklogs"]))
class EntryVersionsView(generics.ListAPIView[Any]):
    serializer_class = EntryVersionSerializer

    def get_queryset(self) -> Any:
        return selectors.list_versions(actor=get_actor(self.request), entry_id=self.kwargs["entry_id"])


class ParseView(APIView):
    @extend_schema(
        operation_id="worklogs_parse", tags=["worklogs"], request=LineSerializer, responses=QuickLineSerializer
    )
    def post(self, request: Request) -> Response:
        wish = LineSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        today = clock.today_in(get_actor(request).time_zone, now=clock.now())
        line = services.parse_quick_line(line=wish.validated_data["line"], today=today)
        return Response(QuickLineSerializer(line).data)


class DefaultsView(APIView):
    @extend_schema(operation_id="worklogs_defaults", tags=["worklogs"], responses=DefaultsSerializer)
    def get(self, request: Request) -> Response:
        return Response(asdict(selectors.get_defaults(actor=get_actor(request))))


class NameListView(generics.ListAPIView[Any]):
    """The names of one kind that the tenant's entries share."""

    serializer_class = NameSerializer
    kind: ClassVar[NameKind]

    def get_queryset(self) -> Any:
        return selectors.list_names(actor=get_actor(self.request), kind=self.kind)

    @idempotent
    def post(self, request: Request) -> Response:
        wish = NameSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        row = services.ensure_name(actor=get_actor(request), kind=self.kind, name=wish.validated_data["name"])
        return Response(NameSerializer(row).data, status=status.HTTP_201_CREATED)


@extend_schema_view(
    get=extend_schema(operation_id="employers_list", tags=["worklogs"]),
    post=extend_schema(operation_id="employers_create", tags=["worklogs"], responses={201: NameSerializer}),
)
class EmployerListView(NameListView):
    kind = NameKind.EMPLOYER


@extend_schema_view(
    get=extend_schema(operation_id="projects_list", tags=["worklogs"]),
    post=extend_schema(operation_id="projects_create", tags=["worklogs"], responses={201: NameSerializer}),
)
class ProjectListView(NameListView):
    kind = NameKind.PROJECT


@extend_schema_view(
    get=extend_schema(operation_id="tags_list", tags=["worklogs"]),
    post=extend_schema(operation_id="tags_create", tags=["worklogs"], responses={201: NameSerializer}),
)
class TagListView(NameListView):
    kind = NameKind.TAG
