"""The worklog as a timeline."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from apps.backend.pages import Page
from apps.backend.together import together
from apps.backend.worklogs import Entry
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, wants_fragment
from apps.worklog.forms import FilterForm
from apps.worklog.suggestions import suggestions_from
from apps.worklog.timeline import group_entries

FILTERS_ID = "timeline-filters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What was just done to an entry, so that the page can offer the way back."""

    action: str
    entry_id: UUID


@require_safe
def timeline(request: HttpRequest) -> HttpResponse:
    """The whole page; for HTMX the entries that the filters leave, or with a cursor those that come next."""
    client = get_backend_client(request)
    form = FilterForm(request.GET)
    filters, cursor = form.filters, request.GET.get("cursor")
    context: dict[str, Any] = {"form": form, "notice": read_notice(request)}
    if wants_fragment(request):
        entries = client.worklogs.list(filters=filters, cursor=cursor)
    else:
        entries, employers, projects, tags = together(
            lambda: client.worklogs.list(filters=filters, cursor=cursor),
            client.worklogs.employers,
            client.worklogs.projects,
            client.worklogs.tags,
        )
        context["suggestions"] = suggestions_from(employers, projects, tags)
    fragment = "worklog/partials/more_entries.html" if cursor else "worklog/partials/results.html"
    context |= _listing(request, form, entries)
    response = answer(request, page="worklog/timeline.html", fragment=fragment, context=context)
    if _is_narrowed_now(request):
        push_url(response, f"{resolve_url('worklog:timeline')}{_query_text(form.query)}")
    return response


def _listing(request: HttpRequest, form: FilterForm, entries: Page[Entry]) -> dict[str, Any]:
    after = _read_day(request.GET.get("after", ""))
    shown = _read_count(request.GET.get("shown", "")) + len(entries)
    more = {**form.query, "cursor": entries.next_cursor or "", "shown": str(shown)}
    if entries.results:
        more["after"] = entries.results[-1].occurred_on.isoformat()
    return {
        "months": group_entries(entries, today=timezone.localdate(), after=after),
        "shown": shown,
        "is_filtered": bool(form.query),
        "is_continuation": "cursor" in request.GET,
        "more_url": f"{resolve_url('worklog:timeline')}{_query_text(more)}" if entries.next_cursor else "",
    }


def read_notice(request: HttpRequest) -> Notice | None:
    """`?saved=<id>` or `?deleted=<id>`, where a form without scripts has led to."""
    for action in ("saved", "deleted"):
        try:
            return Notice(action=action, entry_id=UUID(request.GET.get(action, "")))
        except ValueError:
            continue
    return None


def _is_narrowed_now(request: HttpRequest) -> bool:
    """A person has changed a filter; the list that refreshes by itself leaves the address alone."""
    return wants_fragment(request) and request.headers.get("HX-Trigger") == FILTERS_ID


def _query_text(query: dict[str, str]) -> str:
    return f"?{urlencode(query)}" if query else ""


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _read_count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
