"""The one place where a failure becomes an answer: `{"error", "code", "fields", "request_id"}`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from apps.common.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    NotFound,
    PaymentRequired,
    RateLimited,
    Unavailable,
)
from apps.mfa.refusals import SecondFactorRequired
from apps.observability.context import current_request_id

logger = structlog.get_logger(__name__)

_STATUS_OF_KIND: Final[Mapping[type[DomainError], int]] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    PaymentRequired: HTTPStatus.PAYMENT_REQUIRED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# What REST framework and Django raise by themselves, in the words of our own kinds.
_PLAIN: Final[Mapping[type[Exception], tuple[int, str, str]]] = {
    exceptions.NotAuthenticated: (401, "not_authenticated", "Please sign in."),
    exceptions.PermissionDenied: (403, Forbidden.code, Forbidden.message),
    PermissionDenied: (403, Forbidden.code, Forbidden.message),
    exceptions.NotFound: (404, NotFound.code, NotFound.message),
    Http404: (404, NotFound.code, NotFound.message),
    exceptions.MethodNotAllowed: (405, "method_not_allowed", "This address does not answer to that method."),
    exceptions.NotAcceptable: (406, "not_acceptable", "This address answers in JSON only."),
    RequestDataTooBig: (413, "too_large", "This request is too large."),
    exceptions.UnsupportedMediaType: (415, "unsupported_media_type", "Send the body as application/json."),
    exceptions.ParseError: (400, Invalid.code, "The body is not valid JSON."),
    OperationalError: (503, Unavailable.code, Unavailable.message),
    InterfaceError: (503, Unavailable.code, Unavailable.message),
}

# What security must see in the log: who is not let in or not allowed, who comes too often, and who tries secrets.
_GUARDED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_GUARDED_CODES: Final = frozenset(
    {
        *("bad_credentials", "bad_code", "challenge_expired", "reset_link_invalid", "verification_invalid"),
        *("passkey_invalid", "passkey_expired", "passkey_used", "passkey_revoked", "passkey_wrong_email"),
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer to a request that failed."""

    status: int
    code: str
    error: str
    fields: Mapping[str, list[str]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    # What else the caller needs to go on, beside the members that every failure has.
    extra: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        return {
            **self.extra,
            "error": self.error,
            "code": self.code,
            "fields": dict(self.fields),
            "request_id": current_request_id(),
        }


def flatten_fields(detail: Any, *, path: str = "") -> dict[str, list[str]]:
    """Nested messages of a serializer as dotted names: `{"lines": [{"price": ["..."]}]}` is `lines.0.price`.

    What concerns no single field stands under "".
    """
    if isinstance(detail, Mapping):
        pairs = [("" if key == "non_field_errors" else str(key), value) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(item, Mapping | list) for item in detail):
        pairs = [(str(index), value) for index, value in enumerate(detail)]
    else:
        texts = detail if isinstance(detail, list) else [detail]
        return {path: [str(text) for text in texts]}
    fields: dict[str, list[str]] = {}
    for key, value in pairs:
        for name, texts in flatten_fields(value, path=".".join(filter(None, (path, key)))).items():
            fields.setdefault(name, []).extend(texts)
    return fields


def _describe_domain(error: DomainError) -> Problem:
    status = next(status for kind, status in _STATUS_OF_KIND.items() if isinstance(error, kind))
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, RateLimited) else {}
    extra: dict[str, Any] = {}
    if isinstance(error, SecondFactorRequired) and error.challenge is not None:
        extra["challenge"] = error.challenge.as_json()
    return Problem(status=status, code=error.code, error=error.text, fields=error.fields, headers=headers, extra=extra)


def _describe_validation(error: exceptions.ValidationError) -> Problem:
    fields = flatten_fields(error.detail)
    general = fields.pop("", [])
    return Problem(status=400, code=Invalid.code, error=" ".join(general) or Invalid.message, fields=fields)


def describe(error: Exception) -> Problem | None:
    """The answer to an expected failure, or None for one that nobody expected."""
    if isinstance(error, DomainError):
        return _describe_domain(error)
    if isinstance(error, exceptions.ValidationError):
        return _describe_validation(error)
    for kind, (status, code, text) in _PLAIN.items():
        if isinstance(error, kind):
            return Problem(status=status, code=code, error=text, headers=_headers_of(error))
    if isinstance(error, exceptions.Throttled):
        return Problem(429, RateLimited.code, RateLimited.message, headers=_headers_of(error))
    if isinstance(error, exceptions.AuthenticationFailed):
        code = str(error.get_codes())
        return Problem(error.status_code, code, str(error.detail), headers=_headers_of(error))
    return None


def _headers_of(error: Exception) -> dict[str, str]:
    headers: dict[str, str] = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(int(wait))
    return headers


def handle_exception(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """REST framework's hook. None is a crash: it is logged with its traceback and answered by `server_error`."""
    problem = describe(error)
    if problem is None:
        return None
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.warning("unavailable", code=problem.code, kind=type(error).__name__, cause=str(error))
    elif problem.status in _GUARDED or problem.code in _GUARDED_CODES:
        # The line of the request, under the same id, says where from and, if it is known, who.
        logger.info("refused", status=problem.status, code=problem.code, view=type(context.get("view")).__name__)
    return Response(problem.body(), status=problem.status, headers=dict(problem.headers))


def is_api(request: HttpRequest) -> bool:
    """Whether the address belongs to the API, whose failures are always JSON."""
    return request.path.startswith("/api/")


def _render(problem: Problem) -> HttpResponse:
    return JsonResponse(problem.body(), status=problem.status)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Addresses that lead nowhere."""
    if not is_api(request):
        return defaults.page_not_found(request, exception)
    text = NotFound.message if request.path.endswith("/") else "Nothing was found here. Addresses end with a slash."
    return _render(Problem(404, NotFound.code, text))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Requests that Django refuses before any view, such as one for an unknown host."""
    if not is_api(request):
        return defaults.bad_request(request, exception)
    return _render(Problem(400, Invalid.code, "This request cannot be understood."))


def too_long(request: HttpRequest) -> HttpResponse:
    """An address with more after its question mark than any list takes."""
    if not is_api(request):
        return HttpResponse("This address is too long.", status=414, content_type="text/plain; charset=utf-8")
    return _render(Problem(414, "too_long", "This address is too long."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Crashes. The log has the traceback with the request id that the answer carries."""
    if not is_api(request):
        return defaults.server_error(request)
    return _render(Problem(500, "internal_error", "Something went wrong on our side. Please quote the request id."))
