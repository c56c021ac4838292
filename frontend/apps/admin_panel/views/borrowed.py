"""Another person's pages, seen by a support grant: to read, inside a frame that cannot be overlooked."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from apps.backend.client import BackendClient
from apps.backend.errors import Forbidden
from apps.backend.support import StaffGrant
from apps.backend.together import together
from apps.shell.client import get_backend_client
from apps.shell.navigation import ShownDestination
from apps.shell.pages import next_page_url

AREAS: Final = {
    "worklog": ("Worklog", "notebook"),
    "reports": ("Reports", "file-text"),
    "billing": ("Billing", "wallet"),
}
_PAGE_SIZE: Final = 100
_INVALID: Final = "support_grant_invalid"
P = ParamSpec("P")
T = TypeVar("T")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class GrantOver(Exception):
    """The grant is not among the open ones."""


def by_grant(view: View[P]) -> View[P]:
    """Leads back to the list when the grant is over or does not cover the page."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except GrantOver:
            pass
        except Forbidden as error:
            if error.code != _INVALID:
                raise
        messages.warning(request, "This access is over, or it does not cover that page.")
        return redirect("admin_panel:support")

    return guarded


def look(
    request: HttpRequest, grant_id: UUID, area: str, see: Callable[[BackendClient], T]
) -> tuple[dict[str, object], T]:
    """What the grantor sees, and what the frame around it says. Each look is kept by the backend."""
    own = get_backend_client(request)
    theirs = get_backend_client(request, support_grant=str(grant_id))
    grants, seen = together(lambda: own.support.open_to_staff(page_size=_PAGE_SIZE), lambda: see(theirs))
    grant = next((one for one in grants if one.id == grant_id), None)
    if grant is None:
        raise GrantOver
    return {"grant": grant, "area": AREAS[area][0].lower(), "tabs": _tabs(grant, area)}, seen


def _tabs(grant: StaffGrant, area: str) -> list[ShownDestination]:
    return [
        ShownDestination(
            label=label,
            path=resolve_url(f"admin_panel:borrowed-{name}", grant.id),
            icon=icon,
            key="",
            is_current=name == area,
        )
        for name, (label, icon) in AREAS.items()
        if name in grant.scopes
    ]


@require_safe
@by_grant
def worklog(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    cursor = request.GET.get("cursor")
    frame, entries = look(request, grant_id, "worklog", lambda theirs: theirs.worklogs.list(cursor=cursor))
    context = {**frame, "entries": entries, "more_url": next_page_url(request, entries.next_cursor)}
    return TemplateResponse(request, "admin_panel/borrowed/worklog.html", context)


@require_safe
@by_grant
def entry(request: HttpRequest, grant_id: UUID, entry_id: UUID) -> HttpResponse:
    frame, found = look(request, grant_id, "worklog", lambda theirs: theirs.worklogs.get(entry_id=entry_id))
    return TemplateResponse(request, "admin_panel/borrowed/entry.html", {**frame, "entry": found})


@require_safe
@by_grant
def reports(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Reports, and the latest jobs behind them."""
    cursor = request.GET.get("cursor")
    frame, (listed, jobs) = look(
        request,
        grant_id,
        "reports",
        lambda theirs: (theirs.reports.list(cursor=cursor), theirs.jobs.list(page_size=10)),
    )
    context = {**frame, "reports": listed, "jobs": jobs, "more_url": next_page_url(request, listed.next_cursor)}
    return TemplateResponse(request, "admin_panel/borrowed/reports.html", context)


@require_safe
@by_grant
def report(request: HttpRequest, grant_id: UUID, report_id: UUID) -> HttpResponse:
    frame, found = look(request, grant_id, "reports", lambda theirs: theirs.reports.get(report_id=report_id))
    return TemplateResponse(request, "admin_panel/borrowed/report.html", {**frame, "report": found})


@require_safe
@by_grant
def billing(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    cursor = request.GET.get("cursor")
    frame, (balance, ledger) = look(
        request,
        grant_id,
        "billing",
        lambda theirs: (theirs.billing.balance(), theirs.billing.ledger(cursor=cursor)),
    )
    context = {**frame, "balance": balance, "ledger": ledger, "more_url": next_page_url(request, ledger.next_cursor)}
    return TemplateResponse(request, "admin_panel/borrowed/billing.html", context)
