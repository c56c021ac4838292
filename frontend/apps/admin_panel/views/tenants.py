"""Tenants, for staff: their people, their plan, how their reserve stands, and what staff may do about it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_safe

from apps.admin_panel.forms import TenantFilterForm
from apps.admin_panel.money_forms import AdjustForm, ConfirmAdjustForm, PolicyForm
from apps.backend.staff import TenantRow
from apps.shell.acts import Act, bound, run_act
from apps.shell.client import get_backend_client
from apps.shell.formatting import format_money
from apps.shell.pages import answer, lead_to, next_page_url, read_key


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Newest first. For HTMX: the filtered list, or with a cursor its next rows."""
    form, cursor = TenantFilterForm(request.GET), request.GET.get("cursor")
    form.full_clean()
    tenants = get_backend_client(request).staff.tenants(q=form.cleaned_data.get("q", ""), cursor=cursor)
    return answer(
        request,
        page="admin_panel/tenants.html",
        fragment="admin_panel/partials/tenant_rows.html" if cursor else "admin_panel/partials/tenants.html",
        context={"form": form, "tenants": tenants, "more_url": next_page_url(request, tenants.next_cursor)},
    )


@require_safe
def detail(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    found = get_backend_client(request).staff.tenant(tenant_id)
    return TemplateResponse(request, "admin_panel/tenant.html", {"tenant": found})


@require_http_methods(["GET", "HEAD", "POST"])
def adjust(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """Asked twice: first how much, then whether that much, to whom. The form's key makes a double click one."""
    client = get_backend_client(request)
    tenant = client.staff.tenant(tenant_id)
    form = bound(request, AdjustForm)
    if request.method == "POST" and form.is_valid() and not form.is_confirmed:
        return _read_back(request, tenant, form)

    def do(key: str) -> HttpResponse:
        made = client.staff_billing.adjust(
            tenant_id, amount_micros=form.amount_micros, reason=form.cleaned_data["reason"], idempotency_key=key
        )
        amount = format_money(made.amount_micros, is_signed=True)
        after = format_money(made.balance_after_micros)
        return _done(request, tenant_id, f"{amount} for {_name(tenant)}; the balance is {after} now.")

    act = _act(
        tenant,
        title=f"Adjust the reserve of {_name(tenant)}?",
        label="Go on",
        lines=(f"It stands at {format_money(tenant.balance_micros)}.", "The movement and its reason stay for good."),
        kind="primary",
    )
    return run_act(request, act, form, do, renames={"amount_micros": "amount"})


def _read_back(request: HttpRequest, tenant: TenantRow, form: AdjustForm) -> HttpResponse:
    amount = format_money(abs(form.amount_micros))
    gives = form.amount_micros > 0
    after = format_money(tenant.balance_micros + form.amount_micros)
    act = _act(
        tenant,
        title=f"{'Give' if gives else 'Take'} {amount} {'to' if gives else 'from'} {_name(tenant)}?",
        label=f"{'Give' if gives else 'Take'} {amount}",
        lines=(f"The reserve goes from {format_money(tenant.balance_micros)} to {after}.", form.cleaned_data["reason"]),
        kind="primary" if gives else "danger",
    )
    typed = {
        "amount": str(form.cleaned_data["amount"]),
        "reason": form.cleaned_data["reason"],
        "confirmed": str(form.amount_micros),
    }
    context = {"act": act, "form": ConfirmAdjustForm(initial=typed), "key": read_key(request)}
    return answer(request, page="shell/act.html", fragment="shell/act_modal.html", context=context)


@require_http_methods(["GET", "HEAD", "POST"])
def policy(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    """How far work goes when the reserve is used up, and who decides it."""
    client = get_backend_client(request)
    tenant = client.staff.tenant(tenant_id)
    form = bound(request, PolicyForm)

    def do(key: str) -> HttpResponse:
        made = client.staff_billing.change_policy(
            tenant_id, form.changes, reason=form.cleaned_data["reason"], idempotency_key=key
        )
        who = "only staff change it" if made.is_policy_fixed else "the owner may change it"
        floor = format_money(made.floor_micros)
        return _done(request, tenant_id, f"The policy of {_name(tenant)} is “{made.policy}”, floor {floor}; {who}.")

    act = _act(
        tenant,
        title=f"Change the policy of {_name(tenant)}?",
        label="Change policy",
        lines=("It holds from the next call on.",),
        kind="primary",
    )
    return run_act(request, act, form, do, renames={"floor_micros": "floor", "is_policy_fixed": "fixed"})


def _name(tenant: TenantRow) -> str:
    return tenant.name or "a tenant without a name"


def _act(tenant: TenantRow, *, title: str, label: str, lines: tuple[str, ...], kind: str) -> Act:
    back_path = resolve_url("admin_panel:tenant", tenant.id)
    return Act(title=title, label=label, lines=lines, kind=kind, back_path=back_path)


def _done(request: HttpRequest, tenant_id: UUID, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return lead_to(request, resolve_url("admin_panel:tenant", tenant_id))
