"""The reserve's page: how it stands, and what its owner may set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST

from apps.backend.billing import Balance, BillingProfile
from apps.backend.client import BackendClient
from apps.backend.errors import (
    BackendError,
    BackendUnavailable,
    Conflict,
    NotAuthenticated,
)
from apps.backend.together import together
from apps.billing.forms import (
    POLICIES,
    AutoTopupForm,
    DetailsForm,
    ReserveForm,
    auto_topup_values,
    details_values,
    reserve_values,
)
from apps.billing.leaving import leave_for, say_why
from apps.shell.client import get_backend_client
from apps.shell.pages import lead_to, mint_key, read_key
from apps.shell.refusals import status_of, take_refusal

SavingForm = ReserveForm | AutoTopupForm | DetailsForm
_POLICY_TEXTS: Final = {value: text for value, _, text in POLICIES}
_RENAMES: Final = {
    "low_balance_threshold_micros": "threshold",
    "auto_topup.is_on": "is_on",
    "auto_topup.threshold_micros": "threshold",
    "auto_topup.amount_micros": "amount",
    "auto_topup.monthly_cap_micros": "monthly_cap",
    "threshold_micros": "threshold",
    "amount_micros": "amount",
    "monthly_cap_micros": "monthly_cap",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """What the page shows. All None: the backend went away while a form was being sent."""

    balance: Balance | None = None
    profile: BillingProfile | None = None
    can_edit: bool = False

    @property
    def policy_text(self) -> str:
        policy = self.balance.policy if self.balance else ""
        return next((text for value, _, text in POLICIES if value == policy), policy)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """How the reserve stands; a POST says when it is low and what happens at zero."""
    if request.method == "POST":
        return _save(request, "reserve_form", ReserveForm(request.POST), done="Your reserve's settings are saved.")
    return _show(request, _get_reserve(get_backend_client(request)), {})


@require_POST
def auto_topup(request: HttpRequest) -> HttpResponse:
    """How the reserve fills itself up."""
    return _save(request, "auto_form", AutoTopupForm(request.POST), done="The automatic top-up is saved.")


@require_POST
def details(request: HttpRequest) -> HttpResponse:
    """What stands on receipts from now on."""
    return _save(request, "details_form", DetailsForm(request.POST), done="Your billing details are saved.")


@require_POST
def resume(request: HttpRequest) -> HttpResponse:
    """Let the automatic top-up try again after declines."""
    try:
        get_backend_client(request).billing.resume_auto_topup(idempotency_key=read_key(request))
    except (Conflict, BackendUnavailable) as error:
        messages.warning(request, say_why(error))
    else:
        messages.success(request, "The automatic top-up is ready again. It charges when the balance asks for it.")
    return lead_to(request, resolve_url("billing:settings"))


@require_POST
def portal(request: HttpRequest) -> HttpResponse:
    """To the provider's page where cards and the subscription are kept."""
    try:
        return leave_for(request, get_backend_client(request).payments.open_portal(idempotency_key=read_key(request)))
    except (Conflict, BackendUnavailable) as error:
        messages.warning(request, say_why(error))
    return lead_to(request, resolve_url("billing:settings"))


def _save(request: HttpRequest, name: str, form: SavingForm, *, done: str) -> HttpResponse:
    client = get_backend_client(request)
    status = 400
    if form.is_valid():
        try:
            client.billing.update_profile(form.changes)
        except NotAuthenticated:
            raise
        except BackendError as error:
            take_refusal(form, error, renames=_RENAMES)
            status = status_of(error)
    if not form.errors:
        messages.success(request, done)
        return lead_to(request, resolve_url("billing:settings"))
    return _show(request, _find_reserve(client), {name: form}, status=status)


def _get_reserve(client: BackendClient) -> Reserve:
    balance, profile, me = together(client.billing.balance, client.billing.profile, client.me.get)
    return Reserve(balance=balance, profile=profile, can_edit=me.role == "owner")


def _find_reserve(client: BackendClient) -> Reserve:
    """For a form that is shown again: it must be, even when the figures around it cannot be read."""
    try:
        return _get_reserve(client)
    except BackendUnavailable:
        return Reserve(can_edit=True)


def _show(
    request: HttpRequest, reserve: Reserve, refused: Mapping[str, forms.Form], *, status: int = 200
) -> HttpResponse:
    context = {"reserve": reserve, **_forms(reserve.profile), **refused, "policies": _POLICY_TEXTS, "key": mint_key()}
    return TemplateResponse(request, "billing/settings.html", context, status=status)


def _forms(profile: BillingProfile | None) -> dict[str, forms.Form | None]:
    """None of those that cannot be filled: sent empty they would overwrite what is there."""
    if profile is None:
        return {"reserve_form": None, "auto_form": None, "details_form": None}
    return {
        "reserve_form": ReserveForm(initial=reserve_values(profile)),
        "auto_form": AutoTopupForm(initial=auto_topup_values(profile)),
        "details_form": DetailsForm(initial=details_values(profile)),
    }
