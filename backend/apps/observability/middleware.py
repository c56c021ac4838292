"""Request ids at the edge of the service."""

import re
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse

from apps.common import clock
from apps.common.ids import uuid7
from apps.observability.context import bind_request, bind_user_agent, clear_request
from apps.observability.visitors import find_visitor

_ACCEPTED: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Takes the caller's `X-Request-ID` when it is well formed, makes one otherwise, and gives it back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = offered if _ACCEPTED.fullmatch(offered) else str(uuid7())
        # django-structlog reads the same header, so log lines carry the same id. (`request.headers` is computed once
        # and kept: reading it before this line would hide the new value.)
        request.META["HTTP_X_REQUEST_ID"] = request_id
        visitor = find_visitor(request.META, request_id=request_id, now=clock.now())
        bind_request(request_id=request_id, address=visitor.address)
        bind_user_agent(visitor.user_agent)
        try:
            response = self.get_response(request)
        finally:
            clear_request()
        response["X-Request-ID"] = request_id
        return response
