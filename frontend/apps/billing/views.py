"""The reserve, its ledger and the metered use: to read, and the owner's two settings."""

from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_safe

from apps.backend.billing import Balance, BillingProfile
from apps.backend.client import BackendClient
from apps.backend.errors import BackendError, BackendUnavailable, NotAuthenticated
from apps.backend.together import together
from apps.billing.forms import LedgerFilterForm, ReserveForm, reserve_values
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, next_page_url
from apps.shell.refusals import status_of, take_refusal

POLICIES: Final = {
    "block": "Work that the available balance does not cover is refused.",
    "warn": "Work goes on a little below zero, down to the floor of your plan, with a warning.",
    "limited": "Work that the available balance does not cover is refused; only essential work goes on to the floor.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """What the settings page shows. All None: the backend went away while a form was being sent."""

    balance: Balance | None = None
    profile: BillingProfile | None = None
    can_edit: bool = False

    @property
    def policy_text(self) -> str:
        return POLICIES.get(self.balance.policy, self.balance.policy) if self.balance else ""


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """How the reserve stands, and what its owner may set."""
    client = get_backend_client(request)
    if request.method == "POST":
        return _save(request, client)
    reserve = _get_reserve(client)
    form = ReserveForm(initial=reserve_values(reserve.profile) if reserve.profile else {})
    return _show(request, reserve, form)


def _save(request: HttpRequest, client: BackendClient) -> HttpResponse:
    form = ReserveForm(request.POST)
    status = 400
    if form.is_valid():
        try:
            client.billing.update_profile(
                low_balance_threshold_micros=form.threshold_micros, billing_email=form.cleaned_data["billing_email"]
            )
        except NotAuthenticated:
            raise
        except BackendError as error:
            take_refusal(form, error, renames={"low_balance_threshold_micros": "threshold"})
            status = status_of(error)
    if not form.errors:
        messages.success(request, "Your reserve's settings are saved.")
        return redirect("billing:settings")
    return _show(request, _find_reserve(client), form, status=status)


def _get_reserve(client: BackendClient) -> Reserve:
    balance, profile, me = together(client.billing.balance, client.billing.profile, client.me.get)
    return Reserve(balance=balance, profile=profile, can_edit=me.role == "owner")


def _find_reserve(client: BackendClient) -> Reserve:
    """For a form that is shown again: it must be, even when the figures around it cannot be read."""
    try:
        return _get_reserve(client)
    except BackendUnavailable:
        return Reserve(can_edit=True)


def _show(request: HttpRequest, reserve: Reserve, form: ReserveForm, *, status: int = 200) -> HttpResponse:
    return TemplateResponse(request, "billing/settings.html", {"reserve": reserve, "form": form}, status=status)


@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    """Every movement of the reserve. For HTMX: the filtered table, or with a cursor its next rows."""
    form = LedgerFilterForm(request.GET)
    cursor = request.GET.get("cursor")
    entries = get_backend_client(request).billing.ledger(filters=form.filters, cursor=cursor)
    return answer(
        request,
        page="billing/ledger.html",
        fragment="billing/partials/ledger_rows.html" if cursor else "billing/partials/ledger_table.html",
        context={"form": form, "entries": entries, "more_url": next_page_url(request, entries.next_cursor)},
    )


@require_safe
def usage(request: HttpRequest) -> HttpResponse:
    """What was metered, event by event; for HTMX the next rows."""
    events = get_backend_client(request).billing.usage(cursor=request.GET.get("cursor"))
    return answer(
        request,
        page="billing/usage.html",
        fragment="billing/partials/usage_rows.html",
        context={"events": events, "more_url": next_page_url(request, events.next_cursor)},
    )
