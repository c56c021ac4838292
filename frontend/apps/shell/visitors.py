"""Whom the present request comes from: what the backend's limits, sessions and audit know a person by."""

import ipaddress
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.backend.visitor import Visitor
from apps.shell.requests import request_id_of

_current: ContextVar[tuple[Visitor | None, str]] = ContextVar("visitor", default=(None, ""))


def current_visitor() -> Visitor | None:
    """The person at the other end, while a request is under way."""
    return _current.get()[0]


def current_request_id() -> str:
    return _current.get()[1]


def client_address(request: HttpRequest) -> str:
    """The person's own address behind TRUSTED_PROXY_COUNT proxies of ours; empty when nobody can tell.

    Each proxy appends to X-Forwarded-For, so the entry that counts is that many from the right. A header that is
    shorter, or makes no sense there, leaves the address of the connection.
    """
    count = settings.TRUSTED_PROXY_COUNT
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    forwarded = _read(hops[-count]) if 0 < count <= len(hops) else ""
    return forwarded or _read(request.META.get("REMOTE_ADDR", ""))


def _read(text: str) -> str:
    try:
        parsed = ipaddress.ip_address(text.strip())
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.scope_id is not None:
            return ""
        return str(parsed.ipv4_mapped or parsed)
    return str(parsed)


def bind_true_address(**_: Any) -> None:
    """For the log. django-structlog's own guess believes whatever header a client sends."""
    visitor = current_visitor()
    structlog.contextvars.bind_contextvars(ip=visitor.address if visitor else None)


class VisitorMiddleware:
    """Remembers the person for every call to the backend that this request leads to."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        visitor = Visitor(
            address=client_address(request),
            user_agent=request.META.get("HTTP_USER_AGENT", ""),
            secret=settings.INTERNAL_API_SECRET,
        )
        token = _current.set((visitor, request_id_of(request)))
        try:
            return self.get_response(request)
        finally:
            _current.reset(token)
