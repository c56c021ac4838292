"""The books: ledger, holds, use, losses, their proof and the audit. To be read."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget

from apps.billing import selectors, selectors_costs
from apps.billing.admin.pages import Table, action, money, read_actor, render_page, show_dollars
from apps.billing.admin.rates import PeriodForm, read_period
from apps.billing.cost_types import CostGroup, CostGrouping
from apps.billing.models import BillingAuditLog, LedgerProof, LossEntry, ReserveHold, ReserveLedgerEntry, UsageEvent
from apps.billing.services.audit import record_change
from apps.billing.services.proof import prove_ledger
from apps.common import clock
from apps.common.admin import ReadOnlyAdmin


def describe_last_proof() -> str:
    """The newest proof in one line."""
    proof = selectors.find_last_proof()
    if proof is None:
        return "Reserve ledger: not proved yet"
    verdict = "holds" if proof.is_ok else f"is broken: {proof.first_broken}"
    return f"Reserve ledger: last proof {proof.at:%Y-%m-%d %H:%M} UTC {verdict}"


@admin.register(ReserveLedgerEntry)
class ReserveLedgerEntryAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "tenant", "seq", "kind", money("amount_micros", label="amount")),
        *(money("balance_after_micros", label="balance after"), "description"),
    )
    list_filter = ("kind", "created_at")
    list_select_related = ("tenant",)
    list_before_template = "admin/billing/title.html"
    search_fields = (
        *("tenant__name", "=tenant__id", "description", "idempotency_key"),
        *("=payment_intent_id", "=refund_id", "=dispute_id"),
    )
    ordering = ("-id",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Says above the list whether the ledger was proved, and when."""
        answer: HttpResponse = super().changelist_view(
            request, {**(extra_context or {}), "title": describe_last_proof()}
        )
        return answer


@admin.register(ReserveHold)
class ReserveHoldAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "tenant", "state", money("amount_micros", label="amount")),
        *("meter", "model", "expires_at", "closed_at"),
    )
    list_filter = ("state", "meter")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "operation_key", "model")
    ordering = ("-id",)


class CostsForm(PeriodForm):
    """What to sum by, and for which days."""

    group_by = forms.ChoiceField(choices=CostGrouping.choices, label="Sum by", widget=UnfoldAdminSelectWidget)


@admin.register(UsageEvent)
class UsageEventAdmin(ReadOnlyAdmin):
    actions_list = ("costs",)
    list_display = (
        *("occurred_at", "tenant", "meter", "model", "explanation"),
        *(money("provider_cost_micros", label="provider cost"), "rate_version"),
    )
    list_filter = ("meter", "model", "occurred_at")
    list_select_related = ("tenant", "rate_version__card")
    search_fields = ("tenant__name", "=tenant__id", "model", "provider_request_id", "idempotency_key", "=job_id")
    ordering = ("-id",)

    @admin.display(description="cost")
    def explanation(self, event: UsageEvent) -> str:
        return selectors.explain_event(event)

    @action(description="Costs and margin", url_path="costs")
    def costs(self, request: HttpRequest) -> HttpResponse:
        """Prices, provider costs and losses of a period."""
        period_form, period = read_period(request)
        form = CostsForm({**period_form.data, "group_by": request.GET.get("group_by", CostGrouping.MODEL)})
        tables = []
        if form.is_valid() and period is not None:
            group_by = CostGrouping(form.cleaned_data["group_by"])
            tables = [tabulate_costs(group_by=group_by, since=period[0], before=period[1])]
        return render_page(
            self,
            request,
            title="Costs and margin",
            text="Margin is the price paid, less what providers ask, less what the house lost. Losses show at cost.",
            form=form,
            submit="Show",
            is_read=True,
            tables=tables,
        )


def tabulate_costs(*, group_by: CostGrouping, since: datetime, before: datetime) -> Table:
    costs = selectors_costs.group_costs(group_by=group_by, since=since, before=before)
    headers = (str(group_by.label), "Uses", "Paid", "Providers", "Losses", "Not charged", "Margin")
    return Table("", headers, [_show_costs(group) for group in (*costs.groups, costs.total)])


def _show_costs(group: CostGroup) -> list[str]:
    amounts = (
        group.price_micros,
        group.provider_cost_micros,
        group.loss_micros,
        group.not_charged_micros,
        group.margin_micros,
    )
    return [group.label, f"{group.events:,}", *(show_dollars(amount) for amount in amounts)]


@admin.register(LossEntry)
class LossEntryAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "tenant", "reason", money("unbilled_micros", label="unbilled")),
        *(money("provider_cost_micros", label="provider cost"), "call_id"),
    )
    list_filter = ("reason", "created_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "=job_id", "=call_id")
    ordering = ("-id",)


@admin.register(LedgerProof)
class LedgerProofAdmin(ReadOnlyAdmin):
    actions_list = ("prove",)
    list_display = ("at", "is_ok", "accounts", "entries", "events", "problems", "first_broken", "duration_ms")
    list_filter = ("is_ok",)
    ordering = ("-at", "-id")

    @action(description="Prove now", url_path="prove")
    def prove(self, request: HttpRequest) -> HttpResponse:
        """Asks first; then proves the whole ledger, which is kept and on record."""
        if request.method != "POST":
            text = "Every balance, chain, hold and price is reckoned again. This takes a while and changes nothing."
            return render_page(self, request, title=describe_last_proof(), text=text, submit="Prove now")
        proof = prove_ledger(now=clock.now())
        with transaction.atomic():
            record_change(
                tenant=None,
                actor=read_actor(request).user_id,
                action="ledger.proved",
                target_kind="ledger_proof",
                target_id=proof.id,
                after={"is_ok": proof.is_ok, "problems": proof.problems},
                now=clock.now(),
            )
        self.message_user(request, describe_last_proof(), level=messages.SUCCESS if proof.is_ok else messages.ERROR)
        return HttpResponseRedirect(reverse("admin:billing_ledgerproof_changelist"))


@admin.register(BillingAuditLog)
class BillingAuditLogAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "action", "tenant", "target_kind", "target_id", "reason")
    list_filter = ("action",)
    list_select_related = ("actor", "tenant")
    search_fields = ("actor__username", "tenant__name", "reason")
    ordering = ("-id",)
