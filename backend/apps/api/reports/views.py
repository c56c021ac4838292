"""Reports over HTTP."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.utils.http import content_disposition_header
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.idempotency import idempotent, read_key
from apps.api.jobs.serializers import JobSerializer, ReportParamsSerializer
from apps.api.jobs.views import read_report_request
from apps.api.limits import JOBS
from apps.api.reports.serializers import (
    ExportFormatSerializer,
    RenameReportSerializer,
    ReportSerializer,
    ReportSummarySerializer,
    StartedReportSerializer,
)
from apps.common import clock
from apps.orchestration import selectors as orchestration
from apps.orchestration.flows.report import start_report
from apps.reporting import render, selectors
from apps.reporting import services as reporting
from apps.reporting.models import Report
from apps.reporting.types import ReportSummary, ReportView
from apps.tenants.types import Actor

Renderer = Callable[[ReportView], str | bytes]
EXPORTS: Final[Mapping[str, tuple[Renderer, str]]] = {
    "pdf": (render.pdf, "application/pdf"),
    "md": (render.markdown, "text/markdown; charset=utf-8"),
    "json": (render.json, "application/json"),
}


def present_reports(*, actor: Actor, reports: Sequence[ReportSummary]) -> list[dict[str, Any]]:
    """Rows of a list, with what their jobs cost."""
    costs = orchestration.get_job_costs(actor=actor, job_ids=[report.job_id for report in reports])
    return list(ReportSummarySerializer(reports, many=True, context={"costs": costs}).data)


def present_report(*, actor: Actor, report_id: UUID) -> dict[str, Any]:
    """One report in full, with what its job costs."""
    report = selectors.get_report(actor=actor, report_id=report_id)
    costs = orchestration.get_job_costs(actor=actor, job_ids=[report.job_id])
    return dict(ReportSerializer(report, context={"costs": costs}).data)


class ReportListView(generics.ListAPIView[Report]):
    limits = JOBS
    serializer_class = ReportSummarySerializer

    def get_queryset(self) -> Any:
        return selectors.list_reports(actor=get_actor(self.request))

    @extend_schema(operation_id="reports_list", tags=["reports"])
    def get(self, request: Request) -> Response:
        rows = self.paginate_queryset(self.get_queryset()) or []
        summaries = [selectors.view_summary(row) for row in rows]
        return self.get_paginated_response(present_reports(actor=get_actor(request), reports=summaries))

    @extend_schema(
        operation_id="reports_create",
        tags=["reports"],
        request=ReportParamsSerializer,
        responses={202: StartedReportSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        actor, wish = get_actor(request), ReportParamsSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        report_id, job_id = start_report(
            actor=actor,
            request=read_report_request(wish.validated_data),
            params=ReportParamsSerializer(wish.validated_data).data,
            idempotency_key=read_key(request),
            now=clock.now(),
        )
        job = orchestration.get_job(actor=actor, job_id=job_id)
        answer = {"report": present_report(actor=actor, report_id=report_id), "job": JobSerializer(job).data}
        return Response(answer, status=status.HTTP_202_ACCEPTED)


class ReportDetailView(APIView):
    @extend_schema(operation_id="reports_retrieve", tags=["reports"], responses=ReportSerializer)
    def get(self, request: Request, report_id: UUID) -> Response:
        return Response(present_report(actor=get_actor(request), report_id=report_id))

    @extend_schema(
        operation_id="reports_rename", tags=["reports"], request=RenameReportSerializer, responses=ReportSerializer
    )
    @idempotent
    def patch(self, request: Request, report_id: UUID) -> Response:
        actor, wish = get_actor(request), RenameReportSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        reporting.rename_report(actor=actor, report_id=report_id, title=wish.validated_data["title"], now=clock.now())
        return Response(present_report(actor=actor, report_id=report_id))

    @extend_schema(operation_id="reports_delete", tags=["reports"], responses={204: None})
    @idempotent
    def delete(self, request: Request, report_id: UUID) -> Response:
        reporting.delete_report(actor=get_actor(request), report_id=report_id, now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReportExportView(APIView):
    @extend_schema(
        operation_id="reports_export",
        tags=["reports"],
        parameters=[OpenApiParameter("format", str, enum=list(EXPORTS), required=True)],
        responses={
            (200, "application/pdf"): OpenApiTypes.BINARY,
            (200, "text/markdown"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.OBJECT,
        },
    )
    def get(self, request: Request, report_id: UUID) -> HttpResponse:
        wish = ExportFormatSerializer(data=request.query_params)
        wish.is_valid(raise_exception=True)
        extension = wish.validated_data["format"]
        report = selectors.get_report(actor=get_actor(request), report_id=report_id)
        renderer, content_type = EXPORTS[extension]
        name = render.make_file_name(report, extension)
        disposition = content_disposition_header(as_attachment=True, filename=name)
        headers = {"Content-Disposition": disposition or "attachment", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(renderer(report), content_type=content_type, headers=headers)
