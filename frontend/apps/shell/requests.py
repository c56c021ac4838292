"""The request as this service's views see it, with what the middleware has put on it."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class ShellRequest(HttpRequest):
    """For annotations only: requests are not made of this class."""

    htmx: HtmxDetails
    request_id: str


def request_id_of(request: HttpRequest) -> str:
    """The id that this request's log lines and backend calls carry."""
    found: str = getattr(request, "request_id", "")
    return found


def is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def page_path_of(request: HttpRequest) -> str:
    """The page that a person is looking at: for HTMX, the one that sent the request. Only ever a path of our own."""
    if not is_htmx(request):
        return request.get_full_path() if request.method == "GET" else "/"
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return htmx.current_url_abs_path or "/"
