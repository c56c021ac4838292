"""Adding money: the amount, the way to the payment page, and what became of it."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import trigger_client_event

from apps.backend.billing import Balance, BillingProfile
from apps.backend.client import BackendClient
from apps.backend.errors import BackendUnavailable, Conflict, Forbidden, Invalid, RateLimited
from apps.backend.payments import Payment
from apps.billing.forms import TopupForm
from apps.billing.leaving import leave_for, take_payment_refusal
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, lead_to, read_key, wants_fragment
from apps.shell.refusals import key_after, status_of

RESERVE_CHANGED: Final = "reserve-changed"
_SAYABLE: Final = (Invalid, Conflict, Forbidden, RateLimited, BackendUnavailable)
_MAX_SESSION_ID: Final = 255
# How long a page waits before it asks again, in seconds, by how often it has asked; after the last it asks no more.
_PATIENCE: Final = 5
_PACES: Final = ((15, 2), (30, 5), (60, 15))


@require_http_methods(["GET", "HEAD", "POST"])
def topup(request: HttpRequest) -> HttpResponse:
    """How much; a POST leads to the payment page. The same form sent twice is one payment."""
    client = get_backend_client(request)
    key = read_key(request)
    if request.method != "POST":
        profile = client.billing.profile()
        return _show(request, TopupForm(terms=profile.payments), profile, key=key)
    form, status = TopupForm(request.POST), 400
    if form.is_valid():
        try:
            started = client.payments.start_topup(
                amount_cents=form.amount_cents, saves_card=form.cleaned_data["saves_card"], idempotency_key=key
            )
            return leave_for(request, started.checkout_url)
        except _SAYABLE as error:
            take_payment_refusal(form, error, amount_field=form.amount_field)
            key, status = key_after(error, key=key), status_of(error)
    return _show(request, form, _find_profile(client), key=key, status=status)


def _find_profile(client: BackendClient) -> BillingProfile | None:
    """For a form that is shown again: it must be, even when its bounds cannot be read."""
    try:
        return client.billing.profile()
    except BackendUnavailable:
        return None


def _show(
    request: HttpRequest, form: TopupForm, profile: BillingProfile | None, *, key: str, status: int = 200
) -> HttpResponse:
    context = {"form": form, "profile": profile, "key": key}
    return TemplateResponse(request, "billing/topup.html", context, status=status)


@require_safe
def topup_return(request: HttpRequest) -> HttpResponse:
    """Back from the payment page: paid, on its way or declined, asked of the provider each time it is looked at.

    While nobody knows, the page asks again by itself; a poll that finds no backend changes nothing.
    """
    session_id = request.GET.get("session_id", "")
    if not 0 < len(session_id) <= _MAX_SESSION_ID:
        return lead_to(request, resolve_url("billing:payments"))
    client = get_backend_client(request)
    payment = _find_payment(client, session_id)
    if payment is None and wants_fragment(request):
        return HttpResponse(status=204)
    asked = _asked_before(request) + 1
    is_waiting = payment is None or payment.is_open
    context = {
        "payment": payment,
        "balance": _find_balance(client) if payment and payment.state == "succeeded" else None,
        "is_waiting": is_waiting,
        "pace": next((seconds for until, seconds in _PACES if asked <= until), 0),
        "asked": asked,
        # Whoever has just paid is not sent back there at once.
        "may_go_back": payment is not None and (payment.state == "needs_customer" or asked > _PATIENCE),
        "session_id": session_id,
    }
    response = answer(
        request, page="billing/topup_return.html", fragment="billing/partials/topup_result.html", context=context
    )
    if wants_fragment(request) and not is_waiting:
        trigger_client_event(response, RESERVE_CHANGED)
    return response


def _find_payment(client: BackendClient, session_id: str) -> Payment | None:
    """None while it cannot be asked; raises NotFound for a payment that is nobody's here."""
    try:
        return client.payments.confirm_topup(session_id=session_id)
    except BackendUnavailable:
        return None


def _find_balance(client: BackendClient) -> Balance | None:
    """None while it cannot be read: that the money has arrived is the news, and it is said without."""
    try:
        return client.billing.balance()
    except BackendUnavailable:
        return None


def _asked_before(request: HttpRequest) -> int:
    text = request.GET.get("asked", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


@require_safe
def topup_canceled(request: HttpRequest) -> HttpResponse:
    """Back from the payment page without having paid."""
    return TemplateResponse(request, "billing/topup_canceled.html")
