"""My data over HTTP."""

from typing import Any
from uuid import UUID

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.anonymous import OpenView
from apps.api.authentication import get_actor
from apps.api.idempotency import idempotent
from apps.api.jobs.serializers import JobSerializer
from apps.api.limits import EXPORTS
from apps.api.mydata.serializers import (
    CertificateSerializer,
    DataExportSerializer,
    DeleteAccountSerializer,
    DeletionSerializer,
)
from apps.api.permissions import IsFresh, IsFreshToChange, IsSession
from apps.common import clock
from apps.orchestration import selectors
from apps.orchestration.erasure.certificates import get_certificate
from apps.orchestration.flows.export import start_export
from apps.orchestration.models import DataExport
from apps.orchestration.services import deletions
from apps.orchestration.services.exports import open_export


class ExportView(APIView):
    permission_classes = (IsFresh,)
    limits = EXPORTS

    @extend_schema(operation_id="me_export", tags=["me"], request=None, responses={202: JobSerializer})
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask for a ZIP of everything that one has here. While one is being written, that one is the answer."""
        actor = get_actor(request)
        job_id = start_export(actor=actor, now=clock.now())
        job = selectors.get_job(actor=actor, job_id=job_id)
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED)


@extend_schema_view(get=extend_schema(operation_id="me_exports_list", tags=["me"]))
class ExportListView(generics.ListAPIView[DataExport]):
    """The exports that the person has asked for, newest first."""

    permission_classes = (IsSession,)
    serializer_class = DataExportSerializer

    def get_queryset(self) -> Any:
        return selectors.list_exports(actor=get_actor(self.request))


class ExportDownloadView(APIView):
    permission_classes = (IsSession,)

    @extend_schema(
        operation_id="me_exports_download", tags=["me"], responses={(200, "application/zip"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, export_id: UUID) -> FileResponse:
        """The ZIP itself, for whoever asked for it and nobody else."""
        export, file = open_export(actor=get_actor(request), export_id=export_id, now=clock.now())
        name = f"afterresume-export-{export.created_at:%Y-%m-%d}.zip"
        answer = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
        answer["Content-Length"] = str(export.size_bytes)
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


class DeleteView(APIView):
    permission_classes = (IsFreshToChange,)

    @extend_schema(operation_id="me_delete_preview", tags=["me"], responses=DeletionSerializer)
    def get(self, request: Request) -> Response:
        """What a deletion of the account would remove and keep, and what stands in its way."""
        return Response(DeletionSerializer(deletions.preview_deletion(actor=get_actor(request), now=clock.now())).data)

    @extend_schema(
        operation_id="me_delete", tags=["me"], request=DeleteAccountSerializer, responses={202: DeletionSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Schedule the erasure of the account. It can be undone until the day comes."""
        wish = DeleteAccountSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        preview = deletions.schedule_deletion(
            actor=get_actor(request),
            confirm=wish.validated_data["confirm"],
            reason=wish.validated_data["reason"],
            accepts_balance_loss=wish.validated_data["accept_balance_loss"],
            now=clock.now(),
        )
        return Response(DeletionSerializer(preview).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(operation_id="me_delete_undo", tags=["me"], responses={204: None})
    @idempotent
    def delete(self, request: Request) -> Response:
        """Undo the deletion while there is time."""
        deletions.undo_deletion(actor=get_actor(request), now=clock.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class CertificateView(OpenView):
    @extend_schema(operation_id="erasure_certificate", tags=["me"], responses=CertificateSerializer, auth=[])
    def get(self, request: Request, token: str) -> Response:
        """The certificate of an erasure, for whoever has its link."""
        return Response(CertificateSerializer(get_certificate(token=token)).data)
