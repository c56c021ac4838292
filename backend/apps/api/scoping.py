"""Whose rows a request may see."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from apps.api.errors import is_api
from apps.common import scopes
from apps.common.admin import is_staff


class ScopeMiddleware:
    """The edge of a request: it begins without a scope, and none of it is left for the next one on this thread.

    Authentication opens the caller's tenant, `IsStaff` and the pages of Django admin what staff may see. A streamed
    answer is made when the request is over, part by part: each part in the scope that the view had.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with scopes.edge():
            response = self.get_response(request)
            if isinstance(response, StreamingHttpResponse) and not response.is_async:
                parts: Any = response.streaming_content
                response.streaming_content = resume_for_each(scopes.current_scope(), parts)
            return response

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        # The API's own endpoints for staff ask for it by their permission.
        if not is_api(request) and is_staff(request):
            scopes.bind_system(scopes.SystemScope.STAFF)


def resume_for_each(scope: scopes.Scope | None, parts: Iterable[bytes]) -> Iterator[bytes]:
    """The same parts, each made in `scope`."""
    source = iter(parts)
    while True:
        with scopes.resumed(scope):
            part = next(source, None)
        if part is None:
            return
        yield part
