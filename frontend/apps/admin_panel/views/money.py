"""The money of the whole house, for staff: how reserves stand, who paid, what it cost, what Stripe said."""

from typing import Final, get_args
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.admin_panel.money_forms import EventFilterForm, LedgerExportForm, PaymentFilterForm, RefundForm
from apps.backend.errors import Conflict
from apps.backend.staff_billing import CostGrouping, StaffPayment
from apps.shell.acts import Act, run_act
from apps.shell.client import get_backend_client
from apps.shell.days import DaySpanForm
from apps.shell.files import pass_on
from apps.shell.formatting import format_money
from apps.shell.pages import answer, lead_to, next_page_url, read_key

_GROUPINGS: Final[tuple[CostGrouping, ...]] = get_args(CostGrouping)
_GROUP_LABELS: Final = {"tenant": "By customer", "model": "By model", "day": "By day"}


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    context = {"summary": get_backend_client(request).staff_billing.summary(), "export_form": LedgerExportForm()}
    return TemplateResponse(request, "admin_panel/money.html", context)


@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    """Newest first. For HTMX: the filtered list, or with a cursor its next rows."""
    form, cursor = PaymentFilterForm(request.GET), request.GET.get("cursor")
    found = get_backend_client(request).staff_billing.payments(**form.filters, cursor=cursor)
    return answer(
        request,
        page="admin_panel/payments.html",
        fragment="admin_panel/partials/payment_rows.html" if cursor else "admin_panel/partials/payments.html",
        context={"form": form, "payments": found, "more_url": next_page_url(request, found.next_cursor)},
    )


@require_http_methods(["GET", "HEAD", "POST"])
def refund(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Needs a fresh proof of identity; the form waits meanwhile."""
    client = get_backend_client(request)
    payment = client.staff_billing.payment(payment_id)
    form = RefundForm(request.POST if request.method == "POST" else None, payment=payment)

    def do(key: str) -> HttpResponse:
        made = client.staff_billing.refund(
            payment_id, amount_cents=form.amount_cents, reason=form.cleaned_data["reason"], idempotency_key=key
        )
        amount, name = format_money(made.amount_micros), payment.tenant.name
        if made.state == "failed":
            messages.error(request, f"The refund of {amount} to {name} failed; nothing was given back.")
        else:
            messages.success(request, f"{amount} go back to {name}.")
        return lead_to(request, resolve_url("admin_panel:payments"))

    return run_act(request, _refund_act(payment), form, do, renames={"amount_cents": "amount"})


def _refund_act(payment: StaffPayment) -> Act:
    card = f" with {payment.card.brand} {payment.card.last4}" if payment.card else ""
    lines = [f"{format_money(payment.amount_micros)} came in{card}."]
    if payment.refunded_micros:
        lines.append(f"{format_money(payment.refunded_micros)} of it were given back before.")
    lines.append("The same amount leaves the reserve, below zero if it must; work then stops until it is covered.")
    return Act(
        title=f"Refund a payment of {payment.tenant.name}?",
        label="Refund",
        lines=tuple(lines),
        back_path=resolve_url("admin_panel:payments"),
    )


@require_safe
def stripe_events(request: HttpRequest) -> HttpResponse:
    """Newest first. For HTMX: the filtered list, or with a cursor its next rows."""
    form, cursor = EventFilterForm(request.GET), request.GET.get("cursor")
    found = get_backend_client(request).staff_billing.stripe_events(**form.filters, cursor=cursor)
    return answer(
        request,
        page="admin_panel/stripe_events.html",
        fragment="admin_panel/partials/stripe_event_rows.html" if cursor else "admin_panel/partials/stripe_events.html",
        context={"form": form, "events": found, "more_url": next_page_url(request, found.next_cursor)},
    )


@require_POST
def retry_event(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Harmless however often: an event has one effect."""
    try:
        event = get_backend_client(request).staff_billing.retry_event(event_id, idempotency_key=read_key(request))
        messages.success(request, f"{event.type} is worked again.")
    except Conflict as error:
        messages.warning(request, error.message)
    return lead_to(request, resolve_url("admin_panel:stripe-events"))


@require_safe
def costs(request: HttpRequest) -> HttpResponse:
    """What customers paid beside what providers ask, by customer, model or day."""
    form = DaySpanForm(request.GET)
    wanted = request.GET.get("group_by")
    by = next((one for one in _GROUPINGS if one == wanted), _GROUPINGS[0])
    days = form.understood
    found = get_backend_client(request).staff_billing.costs(by=by, from_day=days.get("from"), to_day=days.get("to"))
    query = request.GET.copy()
    tabs = []
    for name in _GROUPINGS:
        query["group_by"] = name
        tabs.append({"label": _GROUP_LABELS[name], "path": f"?{query.urlencode()}", "is_current": name == by})
    context = {"form": form, "costs": found, "by": by, "groupings": tabs}
    return TemplateResponse(request, "admin_panel/costs.html", context)


@require_safe
def disputes(request: HttpRequest) -> HttpResponse:
    """Newest first. For HTMX with a cursor: the next rows."""
    cursor = request.GET.get("cursor")
    found = get_backend_client(request).staff_billing.disputes(cursor=cursor)
    return answer(
        request,
        page="admin_panel/disputes.html",
        fragment="admin_panel/partials/dispute_rows.html",
        context={"disputes": found, "more_url": next_page_url(request, found.next_cursor)},
    )


@require_safe
def ledger_csv(request: HttpRequest) -> HttpResponseBase:
    """Every movement of every reserve, passed on as it comes."""
    return pass_on(get_backend_client(request).staff_billing.export_ledger(**LedgerExportForm(request.GET).filters))
