"""Headers that every answer of the service carries."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.middleware import common

from apps.api.errors import is_api, too_long
from apps.observability.context import bind_origin
from apps.observability.types import Origin

# `object-src` follows from `default-src`; auditors and older browsers want to read it.
_API_POLICY: Final = (
    "default-src 'none'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# Swagger UI draws with inline styles and data: images; its scripts are files of ours.
_DOCS_POLICY: Final = (
    "default-src 'none'; object-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'none'"
)
# Django admin's theme runs Alpine, which compiles the expressions that stand in attributes: that needs 'unsafe-eval'.
# Its colours stand in a style element. No script stands in a page. All but its front door is open to staff only.
_ADMIN_POLICY: Final = (
    "default-src 'none'; object-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'self'"
)
_FEATURES: Final = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "fullscreen", "geolocation"),
    *("gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking"),
)
_HEADERS: Final = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
    "Cross-Origin-Resource-Policy": "same-origin",
    # For crawlers: nothing here is for the public.
    "X-Robots-Tag": "noindex, nofollow",
}
# Longer addresses are no filters of ours; the longest cursor has a few hundred characters.
MAX_QUERY_LENGTH: Final = 4096


def choose_policy(request: HttpRequest) -> str:
    """The content security policy for the address."""
    if request.path.startswith("/api/docs/"):
        return _DOCS_POLICY
    return _API_POLICY if is_api(request) else _ADMIN_POLICY


class CommonMiddleware(common.CommonMiddleware):
    """Django's, but a call that would change something is never led to the address with a slash.

    Clients follow such a redirect with GET and without the body, and would take the answer for that of their call.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        is_lost_on_the_way = is_api(request) and request.method not in ("GET", "HEAD")
        return not is_lost_on_the_way and super().should_redirect_with_slash(request)


class OriginMiddleware:
    """Tells the audit whether a change came in by the API or by Django admin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with bind_origin(Origin.API if is_api(request) else Origin.ADMIN):
            return self.get_response(request)


class BoundsMiddleware:
    """Refuses what is too long to be meant before anybody reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if len(request.META.get("QUERY_STRING", "")) > MAX_QUERY_LENGTH:
            return too_long(request)
        return self.get_response(request)


class HeadersMiddleware:
    """Keeps answers of the API out of every cache, and tells browsers what pages may load."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response["Content-Security-Policy"] = choose_policy(request)
        for name, value in _HEADERS.items():
            response[name] = value
        if is_api(request):
            response["Cache-Control"] = "private, no-store"
        return response
