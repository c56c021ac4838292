"""Money in Django admin: everything can be seen; prices change by draft and publication, the rest by no hand."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.admin import TabularInline

from apps.billing import selectors
from apps.billing.models import (
    BillingAuditLog,
    BillingProfile,
    LedgerProof,
    LossEntry,
    RateCard,
    RateCardVersion,
    RateLineItem,
    ReserveAccount,
    ReserveHold,
    ReserveLedgerEntry,
    UsageEvent,
)
from apps.billing.services.rate_cards import clone_version, publish_version
from apps.billing.types import VersionState
from apps.common import clock
from apps.common.admin import ReadOnlyAdmin, is_staff
from apps.common.errors import DomainError
from apps.common.money import format_dollars


def show_dollars(micros: int) -> str:
    """An exact amount as people read it."""
    return f"-${format_dollars(-micros)}" if micros < 0 else f"${format_dollars(micros)}"


def is_draft(version: RateCardVersion | None) -> bool:
    return version is not None and version.state == VersionState.DRAFT


class VersionInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    """A card's versions, each a link to its lines."""

    model = RateCardVersion
    fields = readonly_fields = ("number", "state", "valid_from", "valid_to", "published_at", "note")
    ordering = ("-number",)
    extra = 0
    can_delete = False
    show_change_link = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_staff(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(RateCard)
class RateCardAdmin(ReadOnlyAdmin):
    list_display = ("name", "plan", "in_force")
    fields = ("name", "plan")
    inlines = (VersionInline,)
    ordering = ("plan",)

    @admin.display(description="in force")
    def in_force(self, card: RateCard) -> str:
        now = clock.now()
        return ", ".join(str(version) for version in card.versions.all() if version.is_in_force(now))

    def get_queryset(self, request: HttpRequest) -> QuerySet[RateCard]:
        cards: QuerySet[RateCard] = super().get_queryset(request)
        return cards.prefetch_related("versions__card")


class LineInline(TabularInline):  # type: ignore[misc]  # unfold has no types
    """The prices of a version: open in a draft, frozen once it is published."""

    model = RateLineItem
    fields = (
        *("meter", "model_pattern", "token_class", "unit_size", "price_micros", "provider_cost_micros"),
        *("is_free", "is_essential"),
    )
    ordering = ("model_pattern", "token_class")
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_staff(request)

    def has_add_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_staff(request) and is_draft(obj)

    def has_change_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_staff(request) and is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_staff(request) and is_draft(obj)


@admin.register(RateCardVersion)
class RateCardVersionAdmin(ReadOnlyAdmin):
    actions = ("clone", "publish")
    list_display = ("__str__", "state", "valid_from", "valid_to", "published_at", "published_by", "note")
    list_filter = ("card", "state")
    list_select_related = ("card", "published_by")
    ordering = ("card", "-number")
    inlines = (LineInline,)
    fields = ("card", "number", "state", "valid_from", "valid_to", "note", "published_at", "published_by")
    readonly_fields = ("card", "number", "state", "valid_to", "published_at", "published_by")

    def has_change_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_staff(request) and is_draft(obj)

    def has_delete_permission(self, request: HttpRequest, obj: RateCardVersion | None = None) -> bool:
        return is_staff(request) and is_draft(obj)

    @admin.action(description="Clone into a new draft")
    def clone(self, request: HttpRequest, queryset: QuerySet[RateCardVersion]) -> None:
        for version in queryset.order_by("card_id", "number"):
            draft = clone_version(version_id=version.id, now=clock.now())
            self.message_user(request, f"{draft} is a draft with the prices of {version}.")

    @admin.action(description="Publish, from its date or from now")
    def publish(self, request: HttpRequest, queryset: QuerySet[RateCardVersion]) -> None:
        """From the draft's own `valid from`; without one, at once."""
        actor = UUID(str(request.user.pk))
        for version in queryset.order_by("card_id", "number"):
            try:
                published = publish_version(
                    actor=actor, version_id=version.id, valid_from=version.valid_from, now=clock.now()
                )
            except DomainError as error:
                self.message_user(request, f"{version}: {error}", level=messages.ERROR)
            else:
                self.message_user(request, f"{published} is in force from {published.valid_from:%Y-%m-%d %H:%M} UTC.")


@admin.register(BillingProfile)
class BillingProfileAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "plan", "billing_email", "stripe_customer_id", "created_at")
    list_filter = ("plan",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "billing_email", "stripe_customer_id")
    ordering = ("-id",)


@admin.register(ReserveAccount)
class ReserveAccountAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "balance", "held", "policy", "is_stopped", "last_seq", "updated_at")
    list_filter = ("policy", "is_stopped")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    ordering = ("-id",)

    @admin.display(ordering="balance_micros")
    def balance(self, account: ReserveAccount) -> str:
        return show_dollars(account.balance_micros)

    @admin.display(ordering="held_micros")
    def held(self, account: ReserveAccount) -> str:
        return show_dollars(account.held_micros)


@admin.register(ReserveLedgerEntry)
class ReserveLedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "tenant", "seq", "kind", "amount", "balance_after", "description")
    list_filter = ("kind",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "description", "idempotency_key", "payment_intent_id")
    ordering = ("-id",)

    @admin.display(ordering="amount_micros")
    def amount(self, entry: ReserveLedgerEntry) -> str:
        return show_dollars(entry.amount_micros)

    @admin.display(ordering="balance_after_micros")
    def balance_after(self, entry: ReserveLedgerEntry) -> str:
        return show_dollars(entry.balance_after_micros)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Says above the list whether the ledger was proved, and when."""
        answer: HttpResponse = super().changelist_view(
            request, {**(extra_context or {}), "title": describe_last_proof()}
        )
        return answer


def describe_last_proof() -> str:
    """The newest proof in one line."""
    proof = selectors.find_last_proof()
    if proof is None:
        return "Reserve ledger: not proved yet"
    verdict = "holds" if proof.is_ok else f"is broken: {proof.first_broken}"
    return f"Reserve ledger: last proof {proof.at:%Y-%m-%d %H:%M} UTC {verdict}"


@admin.register(ReserveHold)
class ReserveHoldAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "tenant", "state", "amount", "model", "expires_at", "closed_at")
    list_filter = ("state", "meter")
    list_select_related = ("tenant",)
    search_fields = ("tenant__name", "operation_key", "model")
    ordering = ("-id",)

    @admin.display(ordering="amount_micros")
    def amount(self, hold: ReserveHold) -> str:
        return show_dollars(hold.amount_micros)


@admin.register(UsageEvent)
class UsageEventAdmin(ReadOnlyAdmin):
    list_display = ("occurred_at", "tenant", "model", "explanation", "provider_cost", "rate_version")
    list_filter = ("meter", "model")
    list_select_related = ("tenant", "rate_version__card")
    search_fields = ("tenant__name", "model", "provider_request_id", "idempotency_key")
    ordering = ("-id",)

    @admin.display(description="cost")
    def explanation(self, event: UsageEvent) -> str:
        return selectors.explain_event(event)

    @admin.display(ordering="provider_cost_micros")
    def provider_cost(self, event: UsageEvent) -> str:
        return show_dollars(event.provider_cost_micros)


@admin.register(LossEntry)
class LossEntryAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "tenant", "reason", "unbilled", "provider_cost", "call_id")
    list_filter = ("reason",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__name",)
    ordering = ("-id",)

    @admin.display(ordering="unbilled_micros")
    def unbilled(self, loss: LossEntry) -> str:
        return show_dollars(loss.unbilled_micros)

    @admin.display(ordering="provider_cost_micros")
    def provider_cost(self, loss: LossEntry) -> str:
        return show_dollars(loss.provider_cost_micros)


@admin.register(LedgerProof)
class LedgerProofAdmin(ReadOnlyAdmin):
    list_display = ("at", "is_ok", "accounts", "entries", "events", "problems", "first_broken", "duration_ms")
    list_filter = ("is_ok",)
    ordering = ("-at", "-id")


@admin.register(BillingAuditLog)
class BillingAuditLogAdmin(ReadOnlyAdmin):
    list_display = ("at", "actor", "action", "tenant", "target_kind", "target_id", "reason")
    list_filter = ("action",)
    list_select_related = ("actor", "tenant")
    search_fields = ("actor__username", "tenant__name", "reason")
    ordering = ("-id",)
