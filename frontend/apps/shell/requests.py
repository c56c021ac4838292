"""The request as this service's views see it, with what the middleware has put on it."""

import unicodedata
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
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
    """The page that a person is looking at: for HTMX and forms, the one that sent it. Only ever a path of our own."""
    if is_htmx(request):
        htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
        return own_path(htmx.current_url_abs_path)
    if request.method == "GET":
        return own_path(request.get_full_path())
    came_from = urlsplit(request.headers.get("Referer", ""))
    if came_from.netloc != request.get_host():
        return "/"
    return own_path(came_from._replace(scheme="", netloc="", fragment="").geturl())


def own_path(target: str | None, *, default: str = "/") -> str:
    """`target` when it is an absolute path of this site, else `default`: no host, no scheme, nothing that a browser
    would read as either."""
    return target if target is not None and is_own_path(target) else default


def is_own_path(target: str) -> bool:
    """Browsers drop control characters and take a backslash for a slash, so neither may occur."""
    if not target.startswith("/") or "\\" in target:
        return False
    if any(unicodedata.category(letter).startswith("C") for letter in target):
        return False
    return url_has_allowed_host_and_scheme(target, allowed_hosts=None)
