"""Customers' plans and reserves: read, corrected by an adjustment with a reason, and held to a policy."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.billing.admin.pages import action, lead_back, money, read_actor, render_page, show_dollars
from apps.billing.models import BillingProfile, ReserveAccount
from apps.billing.services.credits import adjust_reserve
from apps.billing.services.policies import PolicyChanges, set_policy
from apps.billing.types import Policy
from apps.common import clock
from apps.common.admin import ReadOnlyAdmin
from apps.common.errors import DomainError
from apps.common.ids import uuid7
from apps.common.money import MICROS_PER_DOLLAR, format_dollars
from apps.common.tenancy import TenantId


@admin.register(BillingProfile)
class BillingProfileAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "plan", "subscription_status", "period_end", "billing_email", "stripe_customer_id")
    list_filter = ("plan", "subscription_status")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "billing_email", "stripe_customer_id", "stripe_subscription_id")
    ordering = ("-id",)


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=500, label="Why", widget=UnfoldAdminTextInputWidget)


class AdjustmentForm(ReasonForm):
    """The key is made with the form, so that a form that is sent twice adjusts once."""

    amount = forms.DecimalField(
        label="Amount ($), below zero to take away",
        max_digits=15,
        decimal_places=6,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    field_order = ("amount", "reason", "key")


class PolicyForm(ReasonForm):
    policy = forms.ChoiceField(choices=Policy.choices, widget=UnfoldAdminSelectWidget)
    floor = forms.DecimalField(
        label="Floor ($), zero or below",
        max_digits=15,
        decimal_places=6,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )
    is_policy_fixed = forms.BooleanField(
        label="The customer may not choose another", required=False, widget=UnfoldBooleanWidget
    )

    field_order = ("policy", "floor", "is_policy_fixed", "reason")


def _micros(form: forms.Form, name: str) -> int:
    return int(form.cleaned_data[name] * MICROS_PER_DOLLAR)


@admin.register(ReserveAccount)
class ReserveAccountAdmin(ReadOnlyAdmin):
    actions_detail = ("ledger", "adjust", "policy")
    list_display = (
        *("tenant", money("balance_micros", label="balance"), money("held_micros", label="held")),
        *("policy", "is_policy_fixed", "is_stopped", "last_seq", "updated_at"),
    )
    list_filter = ("policy", "is_policy_fixed", "is_stopped")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "=tenant__id")
    ordering = ("-id",)

    @action(description="Ledger", url_path="ledger")
    def ledger(self, request: HttpRequest, object_id: str) -> HttpResponse:
        account = self.get_object(request, object_id)
        query = "" if account is None else f"?q={account.tenant_id}"
        return HttpResponseRedirect(f"{reverse('admin:billing_reserveledgerentry_changelist')}{query}")

    @action(description="Adjust", url_path="adjust")
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Corrects the reserve by a signed amount, with the reason on record."""
        form = AdjustmentForm(request.POST if request.method == "POST" else None, initial={"key": uuid7()})
        return self._act(request, object_id, form=form, title="Adjust", act=self._adjust)

    @staticmethod
    def _adjust(request: HttpRequest, account: ReserveAccount, form: Any) -> None:
        adjust_reserve(
            actor=read_actor(request),
            tenant=TenantId(account.tenant_id),
            amount_micros=_micros(form, "amount"),
            reason=form.cleaned_data["reason"],
            idempotency_key=str(form.cleaned_data["key"]),
            now=clock.now(),
        )

    @action(description="Policy", url_path="policy")
    def policy(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """How far down the customer may spend, with the reason on record."""
        form = PolicyForm(request.POST if request.method == "POST" else None, initial=self._read_policy(object_id))
        return self._act(request, object_id, form=form, title="Policy", act=self._set_policy)

    @staticmethod
    def _read_policy(object_id: str) -> dict[str, Any]:
        try:
            account = ReserveAccount.objects.filter(pk=UUID(object_id)).first()
        except ValueError:
            account = None
        if account is None:
            return {}
        floor = format_dollars(account.floor_micros)
        return {"policy": account.policy, "floor": floor, "is_policy_fixed": account.is_policy_fixed}

    @staticmethod
    def _set_policy(request: HttpRequest, account: ReserveAccount, form: Any) -> None:
        changes = PolicyChanges(
            policy=Policy(form.cleaned_data["policy"]),
            floor_micros=_micros(form, "floor"),
            is_policy_fixed=form.cleaned_data["is_policy_fixed"],
        )
        set_policy(
            actor=read_actor(request),
            tenant=TenantId(account.tenant_id),
            changes=changes,
            reason=form.cleaned_data["reason"],
            now=clock.now(),
        )

    def _act(self, request: HttpRequest, object_id: str, *, form: forms.Form, title: str, act: Any) -> HttpResponse:
        """The form, or what it asks for and back to the account. What a service refuses is said at the form."""
        account = self.get_object(request, object_id)
        if account is None:
            return lead_back(self, request, object_id)
        if form.is_bound and form.is_valid():
            try:
                act(request, account, form)
            except DomainError as error:
                form.add_error(None, [text for texts in error.fields.values() for text in texts] or error.text)
            else:
                self.message_user(request, "Done, and on record.", level=messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:billing_reserveaccount_change", args=[account.pk]))
        balance, held = show_dollars(account.balance_micros), show_dollars(account.held_micros)
        text = f"Balance {balance}, of which {held} is held. Policy: {account.get_policy_display()}."
        return render_page(
            self, request, title=f"{title}: {account.tenant}", text=text, form=form, submit=title, row=account
        )
