"""What every answer of the service carries, static files and refusals included."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

# Passkeys (`publickey-credentials-*`) are ours and stay as browsers have them: for our own pages.
_FEATURES: Final = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture", "fullscreen", "geolocation"),
    *("gyroscope", "hid", "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking"),
)
_HEADERS: Final = {
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
    "Cross-Origin-Resource-Policy": "same-origin",
    # For crawlers: nothing here is for the public.
    "X-Robots-Tag": "noindex, nofollow",
    # Django says so too, but not of what is refused here.
    "X-Content-Type-Options": "nosniff",
}
# For whatever is no page and so has no policy of its own: files, redirects to TLS, refusals.
_STRICTEST: Final = "default-src 'none'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
# The longest filters of a page have a few hundred characters.
MAX_QUERY_LENGTH: Final = 4096


class HeadersMiddleware:
    """Adds the headers; refuses an address that is too long to be meant before anybody reads it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if len(request.META.get("QUERY_STRING", "")) > MAX_QUERY_LENGTH:
            response: HttpResponseBase = HttpResponse(
                "This address is too long.", status=414, content_type="text/plain; charset=utf-8"
            )
        else:
            response = self.get_response(request)
        for name, value in _HEADERS.items():
            response[name] = value
        response.setdefault("Content-Security-Policy", _STRICTEST)
        return response
