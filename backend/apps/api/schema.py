"""What every operation of the OpenAPI document has in common: the error shape, request ids and idempotency keys."""

from typing import Any, Literal

from django.conf import settings
from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from apps.api.authentication import SCHEME
from apps.api.idempotency import MAX_KEY_LENGTH


class ErrorSerializer(serializers.Serializer[Any]):
    """Why a request failed."""

    error = serializers.CharField(help_text="A sentence for people.")
    code = serializers.CharField(help_text="Stable; what programs decide by.")
    fields = serializers.DictField(  # type: ignore[assignment]  # the contract's own word
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Messages by dotted field name; empty unless the input was wrong.",
    )
    request_id = serializers.CharField(help_text="Quote this when you ask for help.")


def describe_key(*, is_required: bool) -> OpenApiParameter:
    """The header that makes a call safe to repeat."""
    return OpenApiParameter(
        name="Idempotency-Key",
        location=OpenApiParameter.HEADER,
        # Where none is needed an empty one is none.
        type={"type": "string", "maxLength": MAX_KEY_LENGTH, **({"minLength": 1} if is_required else {})},
        required=is_required,
        description="A replay returns the first answer; the same key with another body is 409.",
    )


class AutoSchema(openapi.AutoSchema):
    """Adds to each operation what the foundation does for it."""

    def get_override_parameters(self) -> list[Any]:
        method = getattr(self.view, self.method.lower(), None)
        if not getattr(method, "is_idempotent", False):
            return []
        return [describe_key(is_required=getattr(method, "needs_key", False))]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        # The failures themselves are added to the finished document by `schema_answers`.
        self.resolve_serializer(ErrorSerializer, direction)
        responses: dict[str, Any] = super()._get_response_bodies(direction)
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
