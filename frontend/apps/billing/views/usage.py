"""What was metered: summed by day, model, meter, job or entry, or one by one; and why each cost what it cost."""

from datetime import timedelta
from typing import Any, Final, cast, get_args
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import resolve_url
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.backend.usage import GroupBy, UsageFilters, UsageGroup, UsageGroups
from apps.billing.charts import day_of, usage_bars
from apps.billing.forms import UsageFilterForm
from apps.shell.client import get_backend_client
from apps.shell.navigation import ShownDestination
from apps.shell.pages import answer, next_page_url

EACH: Final = "each"
_TABS: Final = (
    ("day", "Days", "calendar"),
    ("model", "Models", "sparkles"),
    ("meter", "Meters", "progress-check"),
    ("job", "Jobs", "bolt"),
    ("worklog", "Entries", "notebook"),
    (EACH, "Every use", "receipt-2"),
)
_USUAL_DAYS: Final = 30
_GROUPINGS: Final = frozenset(get_args(GroupBy))


@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """One tab of it. For HTMX: the part below the filters, or with a cursor the next uses."""
    by = request.GET.get("by", "day")
    by = by if by in _GROUPINGS else EACH
    form = UsageFilterForm(_asked_for(request, by))
    is_narrowed = any(request.GET.get(name) for name in form.fields)
    context = {"form": form, "by": by, "tabs": _tabs(request, by), "is_narrowed": is_narrowed}
    if by != EACH:
        return _answer(request, {**context, **_grouped(request, cast("GroupBy", by), form.filters)})
    cursor = request.GET.get("cursor")
    events = get_backend_client(request).usage.list(filters=form.filters, cursor=cursor)
    context |= {"events": events, "more_url": next_page_url(request, events.next_cursor)}
    return _answer(request, context, fragment="usage_rows" if cursor else "usage")


@require_safe
def usage_event(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Why one event cost what it cost: a page, or for HTMX a dialog."""
    return answer(
        request,
        page="billing/usage_event.html",
        fragment="billing/partials/usage_event_modal.html",
        context={"event": get_backend_client(request).usage.get(event_id)},
    )


def _asked_for(request: HttpRequest, by: str) -> QueryDict:
    """The filters of the address; sums without any word on days are of the last thirty."""
    query = request.GET.copy()
    if by != EACH and not {"from", "to"} & set(query):
        query["from"] = (timezone.localdate() - timedelta(days=_USUAL_DAYS - 1)).isoformat()
    return query


def _answer(request: HttpRequest, context: dict[str, Any], *, fragment: str = "usage") -> HttpResponse:
    return answer(request, page="billing/usage.html", fragment=f"billing/partials/{fragment}.html", context=context)


def _grouped(request: HttpRequest, by: GroupBy, filters: UsageFilters) -> dict[str, Any]:
    found: UsageGroups = get_backend_client(request).usage.group(by=by, filters=filters)
    bars = usage_bars(found.groups, first=filters.from_day, last=filters.to_day) if by == "day" else ()
    highest = max((group.cost_micros for group in found.groups), default=0)
    rows = [(group, _label_of(group, by), _link(request, by, group.key)) for group in found.groups]
    return {"groups": found, "rows": rows, "bars": bars, "highest": max(highest, 1)}


def _label_of(group: UsageGroup, by: GroupBy) -> str:
    """The backend names days as machines do."""
    day = day_of(group) if by == "day" else None
    return f"{day.day} {day:%b %Y}" if day else group.label


def _link(request: HttpRequest, by: GroupBy, key: str) -> str:
    """To the uses of a group, or to the entry itself: a use belongs to several entries."""
    if by == "worklog":
        return f"/worklog/{key}/" if _is_id(key) else ""
    if not key:
        return ""
    narrower: dict[str, str] = {"from": key, "to": key} if by == "day" else {by: key}
    return _address(request, by=EACH, **narrower)


def _is_id(key: str) -> bool:
    try:
        UUID(key)
    except ValueError:
        return False
    return True


def _tabs(request: HttpRequest, current: str) -> list[ShownDestination]:
    return [
        ShownDestination(label=label, path=_address(request, by=by), icon=icon, key="", is_current=by == current)
        for by, label, icon in _TABS
    ]


def _address(request: HttpRequest, **changes: str) -> str:
    """This page with the filters that it has and with others; always from the first row on."""
    query = QueryDict(mutable=True)
    for name in (*UsageFilterForm().fields, "by"):
        if value := changes.get(name) or request.GET.get(name):
            query[name] = value
    return f"{resolve_url('billing:usage')}?{query.urlencode()}"
