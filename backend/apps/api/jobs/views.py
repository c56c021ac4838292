"""Jobs over HTTP."""

from typing import Any
from uuid import UUID

from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.authentication import get_actor
from apps.api.idempotency import idempotent
from apps.api.jobs.filters import JobFilter
from apps.api.jobs.serializers import (
    EstimateRequestSerializer,
    EstimateSerializer,
    JobEventSerializer,
    JobSerializer,
)
from apps.api.limits import JOBS
from apps.common import clock
from apps.orchestration import selectors
from apps.orchestration.flows.report import estimate_report
from apps.orchestration.models import Job
from apps.orchestration.services.jobs import cancel_job, retry_job
from apps.orchestration.types import ReportRequest


def read_report_request(params: dict[str, Any]) -> ReportRequest:
    """The validated parameters as what the flow takes."""
    ids = params.get("entry_ids")
    return ReportRequest(
        kind=params["kind"],
        period_from=params["period_from"],
        period_to=params["period_to"],
        entry_ids=None if ids is None else tuple(ids),
        title=params.get("title", ""),
    )


@extend_schema_view(get=extend_schema(operation_id="jobs_list", tags=["jobs"]))
class JobListView(generics.ListAPIView[Job]):
    queryset = Job.objects.none()  # what the OpenAPI schema learns the types of the filters from
    serializer_class = JobSerializer
    filter_backends = (DjangoFilterBackend,)
    filterset_class = JobFilter

    def get_queryset(self) -> Any:
        return selectors.list_jobs(actor=get_actor(self.request))


class JobView(APIView):
    @extend_schema(operation_id="jobs_retrieve", tags=["jobs"], responses=JobSerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(JobSerializer(selectors.get_job(actor=get_actor(request), job_id=job_id)).data)


@extend_schema_view(get=extend_schema(operation_id="jobs_events_list", tags=["jobs"]))
class JobEventsView(generics.ListAPIView[Any]):
    serializer_class = JobEventSerializer

    def get_queryset(self) -> Any:
        return selectors.list_job_events(actor=get_actor(self.request), job_id=self.kwargs["job_id"])


class JobCancelView(APIView):
    @extend_schema(operation_id="jobs_cancel", tags=["jobs"], request=None, responses=JobSerializer)
    @idempotent
    def post(self, request: Request, job_id: UUID) -> Response:
        actor = get_actor(request)
        cancel_job(actor=actor, job_id=job_id, now=clock.now())
        return Response(JobSerializer(selectors.get_job(actor=actor, job_id=job_id)).data)


class JobRetryView(APIView):
    limits = JOBS

    @extend_schema(operation_id="jobs_retry", tags=["jobs"], request=None, responses={202: JobSerializer})
    @idempotent
    def post(self, request: Request, job_id: UUID) -> Response:
        actor = get_actor(request)
        retry_job(actor=actor, job_id=job_id, now=clock.now())
        job = selectors.get_job(actor=actor, job_id=job_id)
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED)


class EstimateView(APIView):
    @extend_schema(
        operation_id="jobs_estimate", tags=["jobs"], request=EstimateRequestSerializer, responses=EstimateSerializer
    )
    def post(self, request: Request) -> Response:
        wish = EstimateRequestSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        estimate = estimate_report(
            actor=get_actor(request), request=read_report_request(wish.validated_data["params"]), now=clock.now()
        )
        return Response(EstimateSerializer(estimate).data)
