"""How the pages of the features answer: whole to a browser, in part to HTMX, and where they lead after a form."""

import re
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from apps.shell.requests import is_htmx

# The one status of a refusal that base.html lets HTMX swap in.
FRAGMENT_REFUSED: Final = HTTPStatus.UNPROCESSABLE_ENTITY
KEY_FIELD: Final = "idempotency_key"
_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{16,100}")


def wants_fragment(request: HttpRequest) -> bool:
    """Whether a part of the page is enough. A page that HTMX brings back from history is wanted whole."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def answer(
    request: HttpRequest, *, page: str, fragment: str, context: Mapping[str, Any], status: int = 200
) -> TemplateResponse:
    """The template `page`, or `fragment` for HTMX, which shows of all refusals only those with 422."""
    is_part = wants_fragment(request)
    response = TemplateResponse(
        request,
        fragment if is_part else page,
        dict(context),
        status=FRAGMENT_REFUSED if is_part and status >= HTTPStatus.BAD_REQUEST else status,
    )
    patch_vary_headers(response, ["HX-Request"])
    return response


def lead_to(request: HttpRequest, path: str) -> HttpResponse:
    """To another page of ours, by whichever redirect the asker understands."""
    return HttpResponseClientRedirect(path) if is_htmx(request) else HttpResponseRedirect(path)


def next_page_url(request: HttpRequest, cursor: str | None) -> str:
    """This page's address with another cursor; empty after the last page."""
    if not cursor:
        return ""
    query = request.GET.copy()
    query["cursor"] = cursor
    return f"{request.path}?{query.urlencode()}"


def mint_key() -> str:
    """An idempotency key for a form that is about to be shown."""
    return str(uuid.uuid4())


def read_key(request: HttpRequest) -> str:
    """The idempotency key that the form carries; a new one when it carries none of ours."""
    posted = str(request.POST.get(KEY_FIELD, ""))
    return posted if _KEY.fullmatch(posted) else mint_key()
