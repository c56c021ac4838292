"""Small fragments that pages fetch again and again."""

from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from apps.backend.errors import BackendError, BackendUnavailable, NotAuthenticated
from apps.backend.status import StatusBar
from apps.shell.client import get_backend_client
from apps.shell.last_status import find_last_status, remember_status

POLL_SECONDS: Final = 30
# After the first, the second and each further poll that found no backend.
BACK_OFF_SECONDS: Final = (30, 60, 120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What the fragment tells the page about asking again: `missed` polls in a row lead to `seconds` of patience."""

    seconds: int
    missed: int


def poll_after(*, missed: int) -> Poll:
    if missed == 0:
        return Poll(seconds=POLL_SECONDS, missed=0)
    return Poll(seconds=BACK_OFF_SECONDS[min(missed, len(BACK_OFF_SECONDS)) - 1], missed=missed)


@require_safe
def status_bar(request: HttpRequest) -> HttpResponse:
    """The status bar with fresh values, or with the last known ones and a word about it."""
    status, missed = _current_status(request)
    context = {
        "status": status,
        "poll": poll_after(missed=missed),
        "is_stale": missed > 0,
        # A banner that has not changed is left alone: it may have the focus.
        "has_other_notice": status is not None and status.notice != request.GET.get("notice", ""),
    }
    return TemplateResponse(request, "api_proxy/status_bar.html", context)


def _current_status(request: HttpRequest) -> tuple[StatusBar | None, int]:
    user_id = str(request.user.pk)
    try:
        status = get_backend_client(request).status.bar()
    except NotAuthenticated:
        raise
    except BackendError:
        missed = request.GET.get("missed", "0")
        return find_last_status(user_id=user_id), min(int(missed) if missed.isdecimal() else 0, 99) + 1
    remember_status(user_id=user_id, status=status)
    return status, 0


@require_safe
def reserve_balance(request: HttpRequest) -> HttpResponse:
    """The reserve in one line, for pages that show it beside a cost."""
    balance = get_backend_client(request).billing.balance()
    return TemplateResponse(request, "api_proxy/reserve_balance.html", {"balance": balance})


@require_safe
def reachable(request: HttpRequest) -> HttpResponse:
    """Asked by the page that stands in for a missing backend: reloads it as soon as there is an answer."""
    try:
        get_backend_client(request).status.bar()
    except BackendUnavailable:
        return HttpResponse(status=204)
    return HttpResponseClientRefresh()
