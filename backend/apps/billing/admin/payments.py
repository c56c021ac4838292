"""Payments, what was given back of them, their documents, and what Stripe has told us."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.billing.admin.pages import money, read_actor
from apps.billing.models import (
    AutoTopup,
    BillingDocument,
    PaymentAttempt,
    PaymentDispute,
    PaymentRefund,
    PaymentWatermark,
    StripeEvent,
)
from apps.billing.services.payments.inbox import retry_event
from apps.common import clock
from apps.common.admin import ReadOnlyAdmin
from apps.common.errors import DomainError

_AMOUNT = money("amount_micros", label="amount")


@admin.register(PaymentAttempt)
class PaymentAttemptAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "tenant", "kind", "state", _AMOUNT, "failure_code", "asked_by", "closed_at")
    list_filter = ("kind", "state", "created_at")
    list_select_related = ("tenant", "asked_by")
    search_fields = ("tenant__name", "=id", "=stripe_payment_intent_id", "=stripe_session_id")
    ordering = ("-id",)
    # All but the address of the checkout: whoever has it is at the customer's page.
    fields = (
        *("id", "tenant", "kind", "state", "amount_micros", "currency", "request_key", "asked_by"),
        *("stripe_session_id", "stripe_payment_intent_id", "failure_code", "failure_message"),
        *("card_brand", "card_last4", "looks", "look_at", "created_at", "updated_at", "closed_at"),
    )


@admin.register(PaymentRefund)
class PaymentRefundAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "tenant", "state", _AMOUNT, money("clawed_back_micros", label="out of the reserve")),
        *("reason", "asked_by"),
    )
    list_filter = ("state", "created_at")
    list_select_related = ("tenant", "asked_by")
    search_fields = ("tenant__name", "=stripe_refund_id", "=attempt__stripe_payment_intent_id", "reason")
    ordering = ("-id",)


@admin.register(PaymentDispute)
class PaymentDisputeAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "tenant", "state", "stripe_status", "reason", _AMOUNT),
        *(money("clawed_back_micros", label="out of the reserve"), "evidence_due_by"),
    )
    list_filter = ("state", "reason")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "=stripe_dispute_id", "=attempt__stripe_payment_intent_id")
    ordering = ("-id",)


@admin.register(AutoTopup)
class AutoTopupAdmin(ReadOnlyAdmin):
    list_display = (
        *("tenant", "is_on", "state", money("threshold_micros", label="below"), _AMOUNT),
        *(money("monthly_cap_micros", label="a month at most"), "declines", "last_decline_code", "cooling_until"),
    )
    list_filter = ("is_on", "state")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    ordering = ("-id",)


@admin.register(BillingDocument)
class BillingDocumentAdmin(ReadOnlyAdmin):
    list_display = ("issued_at", "__str__", "kind", "tenant", _AMOUNT, "subject")
    list_filter = ("kind", "issued_at")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "=number", "=subject")
    ordering = ("-id",)


@admin.register(StripeEvent)
class StripeEventAdmin(ReadOnlyAdmin):
    actions = ("retry",)
    list_display = ("received_at", "type", "object_id", "state", "attempts", "livemode", "last_error", "done_at")
    list_filter = ("state", "type", "livemode")
    search_fields = ("=event_id", "=object_id", "type")
    ordering = ("-id",)

    @admin.action(description="Try again")
    def retry(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> None:
        actor, done = read_actor(request), 0
        for event_id, name in list(queryset.order_by("id").values_list("pk", "event_id")):
            try:
                retry_event(actor=actor, event_row_id=event_id, now=clock.now())
            except DomainError as error:
                self.message_user(request, f"{name}: {error}", level=messages.ERROR)
            else:
                done += 1
        if done:
            self.message_user(request, f"{done} will be worked on again at once.", level=messages.SUCCESS)


@admin.register(PaymentWatermark)
class PaymentWatermarkAdmin(ReadOnlyAdmin):
    """How far the daily reconciliation has read. It has no id of its own, so nothing is linked."""

    list_display = ("kind", "read_until", "updated_at")
    list_display_links: Any = None
    ordering = ("kind",)
