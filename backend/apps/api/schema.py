"""What every operation of the OpenAPI document has in common: the error shape, request ids and idempotency keys."""

from typing import Any, Final, Literal

from django.conf import settings
from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from apps.api.authentication import SCHEME


class ErrorSerializer(serializers.Serializer[Any]):
    """Why a request failed."""

    error = serializers.CharField(help_text="A sentence for people.")
    code = serializers.CharField(help_text="Stable; what programs decide by.")
    fields = serializers.DictField(  # type: ignore[assignment]  # the contract's own word
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Messages by dotted field name; empty unless the input was wrong.",
    )
    request_id = serializers.CharField(help_text="Quote this when you ask for help.")


IDEMPOTENCY_KEY: Final = OpenApiParameter(
    name="Idempotency-Key",
    location=OpenApiParameter.HEADER,
    type=OpenApiTypes.STR,
    description="At most 200 characters. A replay returns the first answer; the same key with another body is 409.",
)


class AutoSchema(openapi.AutoSchema):
    """Adds to each operation what the foundation does for it."""

    def get_override_parameters(self) -> list[Any]:
        method = getattr(self.view, self.method.lower(), None)
        return [IDEMPOTENCY_KEY] if getattr(method, "is_idempotent", False) else []

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        problem = OpenApiResponse(ErrorSerializer, description="The request failed; `code` says why.")
        responses["default"] = self._get_response_for_code(  # type: ignore[no-untyped-call]
            problem, "default", direction=direction
        )
        return responses


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "apps.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: openapi.AutoSchema) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": f"`{SCHEME} <key>`, the key from `/api/auth/token/`.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "apps.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: openapi.AutoSchema) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
