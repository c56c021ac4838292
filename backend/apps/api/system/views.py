"""Liveness, readiness and the API's own description."""

from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api.system.probes import run_probes
from apps.api.system.serializers import DutiesSerializer, HealthSerializer, ReadinessSerializer
from apps.common import clock
from apps.observability.heartbeats import list_late_duties


class HealthView(APIView):
    """The process lives. Nothing else is asked, so that a restart never follows from somebody else's failure."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(responses=HealthSerializer, tags=["system"], auth=[])
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadinessView(APIView):
    """What the service needs is there."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses={200: ReadinessSerializer, 503: ReadinessSerializer}, tags=["system"], auth=[])
    def get(self, request: Request) -> Response:
        checks = run_probes()
        is_ready = all(result == "ok" for result in checks.values())
        answer = {"status": "ok" if is_ready else "unavailable", "checks": checks}
        return Response(answer, status=200 if is_ready else 503)


class DutiesView(APIView):
    """Whether the periodic duties were done in their time. Not part of readiness: the pages work without them."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses={200: DutiesSerializer, 503: DutiesSerializer}, tags=["system"], auth=[])
    def get(self, request: Request) -> Response:
        late = list_late_duties(now=clock.now())
        return Response({"status": "late" if late else "ok", "late": late}, status=503 if late else 200)


class SchemaView(SpectacularAPIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from files of the package, with its script apart so that the page needs no inline script."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    url_name = "schema"
