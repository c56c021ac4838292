"""Reading payments, the documents about them, plans, and what Stripe has told us."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum, UUIDField
from django.db.models.functions import Coalesce

from apps.billing.models import (
    AutoTopup,
    BillingDocument,
    BillingProfile,
    PaymentAttempt,
    PaymentDispute,
    PaymentRefund,
    RateCardVersion,
    RateLineItem,
    ReserveLedgerEntry,
    StripeEvent,
)
from apps.billing.payment_types import (
    AutoTopupState,
    DisputeState,
    DocumentKind,
    PaymentKind,
    PaymentState,
    RefundState,
    StripeEventState,
    UnknownPayment,
)
from apps.billing.services.pricing import published_at
from apps.billing.types import PlanTier
from apps.common.errors import NotFound
from apps.common.tenancy import TenantId

_BATCH: Final = 500
# Plans that a customer takes by themselves; the others are given, or by agreement.
SUBSCRIBABLE: Final = (PlanTier.STARTER, PlanTier.PROFESSIONAL)
# Refunds that have reached the payment service, and disputes whose money is not (or no longer) ours.
_REFUNDED: Final = (RefundState.PENDING, RefundState.SUCCEEDED)
_DISPUTED: Final = (DisputeState.OPENED, DisputeState.WITHDRAWN, DisputeState.LOST)
_TOOK_NOTHING: Final = (PaymentState.FAILED, PaymentState.CANCELED)
# Subscriptions that are over, in Stripe's words.
_ENDED: Final = ("", "canceled", "incomplete_expired")


@dataclass(frozen=True, slots=True)
class AutoTopupView:
    """How a reserve fills itself up: the owner's settings and where the machine stands. A month is one in UTC."""

    is_on: bool
    threshold_micros: int
    amount_micros: int
    monthly_cap_micros: int
    spent_this_month_micros: int
    state: AutoTopupState
    last_decline_code: str
    cooling_until: datetime | None


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    status: str
    period_end: datetime | None
    cancels_at_period_end: bool


@dataclass(frozen=True, slots=True)
class CardView:
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan with its prices in force; no rate card when it has none."""

    plan: PlanTier
    name: str
    is_current: bool
    can_subscribe: bool
    rate_card: str
    lines: Sequence[RateLineItem]


def list_payments(*, tenant: TenantId) -> QuerySet[PaymentAttempt]:
    """The tenant's payments, newest first, each with `refunded_micros`, `disputed_micros` and `document_id`."""
    return _with_sums(PaymentAttempt.objects.filter(tenant_id=tenant)).order_by("-id")


def get_payment(*, tenant: TenantId, payment_id: UUID) -> PaymentAttempt:
    """One of `list_payments`. Raises UnknownPayment."""
    payment = list_payments(tenant=tenant).filter(pk=payment_id).first()
    if payment is None:
        raise UnknownPayment
    return payment


def list_all_payments(*, tenant: UUID | None = None, state: PaymentState | None = None) -> QuerySet[PaymentAttempt]:
    """Over all tenants, for staff: the same with the tenant, newest first."""
    wanted = Q() if tenant is None else Q(tenant_id=tenant)
    if state is not None:
        wanted &= Q(state=state)
    return _with_sums(PaymentAttempt.objects.filter(wanted).select_related("tenant")).order_by("-id")


def get_payment_for_staff(*, payment_id: UUID) -> PaymentAttempt:
    """One of `list_all_payments`. Raises UnknownPayment."""
    payment = list_all_payments().filter(pk=payment_id).first()
    if payment is None:
        raise UnknownPayment
    return payment


def _with_sums(payments: QuerySet[PaymentAttempt]) -> QuerySet[PaymentAttempt]:
    receipts = BillingDocument.objects.filter(
        kind=DocumentKind.RECEIPT, subject=OuterRef("stripe_payment_intent_id")
    ).values("id")
    return payments.annotate(
        refunded_micros=_sum_of(PaymentRefund.objects.filter(state__in=_REFUNDED)),
        disputed_micros=_sum_of(PaymentDispute.objects.filter(state__in=_DISPUTED)),
        document_id=Subquery(receipts[:1], output_field=UUIDField(null=True)),
    )


def _sum_of(rows: QuerySet[Any]) -> Coalesce:
    of_payment = rows.filter(attempt=OuterRef("pk")).order_by().values("attempt")
    return Coalesce(Subquery(of_payment.annotate(sum=Sum("amount_micros")).values("sum")), 0)


def list_documents(*, tenant: TenantId) -> QuerySet[BillingDocument]:
    """The tenant's receipts, credit notes and invoices, newest first."""
    return BillingDocument.objects.filter(tenant_id=tenant).order_by("-id")


def get_document(*, tenant: TenantId, document_id: UUID) -> BillingDocument:
    """One of `list_documents`. Raises NotFound."""
    document = list_documents(tenant=tenant).filter(pk=document_id).first()
    if document is None:
        raise NotFound
    return document


def get_auto_topup(*, tenant: TenantId, now: datetime) -> AutoTopupView:
    """The automatic top-up; with the values that it would begin with while it has never been set."""
    auto = AutoTopup.objects.filter(tenant_id=tenant).first() or AutoTopup()
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    charges = PaymentAttempt.objects.filter(tenant_id=tenant, kind=PaymentKind.AUTOMATIC, created_at__gte=month)
    spent = charges.exclude(state__in=_TOOK_NOTHING).aggregate(sum=Sum("amount_micros", default=0))["sum"]
    return AutoTopupView(
        is_on=auto.is_on,
        threshold_micros=auto.threshold_micros,
        amount_micros=auto.amount_micros,
        monthly_cap_micros=auto.monthly_cap_micros,
        spent_this_month_micros=int(spent),
        state=AutoTopupState(auto.state),
        last_decline_code=auto.last_decline_code,
        cooling_until=auto.cooling_until,
    )


def view_subscription(profile: BillingProfile) -> SubscriptionView | None:
    """The plan's subscription, or None without one that runs."""
    if profile.stripe_subscription_id is None or profile.subscription_status in _ENDED:
        return None
    return SubscriptionView(
        status=profile.subscription_status,
        period_end=profile.period_end,
        cancels_at_period_end=profile.cancels_at_period_end,
    )


def view_card(profile: BillingProfile) -> CardView | None:
    """The saved card, or None."""
    if not profile.payment_method_id:
        return None
    return CardView(
        brand=profile.card_brand,
        last4=profile.card_last4,
        exp_month=profile.card_exp_month,
        exp_year=profile.card_exp_year,
    )


def list_plans(*, tenant: TenantId, now: datetime) -> list[PlanView]:
    """All plans with their prices in force, and which one is the tenant's: three queries. Raises NotFound."""
    profile = BillingProfile.objects.filter(tenant_id=tenant).first()
    if profile is None:
        raise NotFound
    versions = {
        PlanTier(version.card.plan): version
        for version in published_at(now).select_related("card").prefetch_related("lines")
    }
    return [_view_plan(plan, profile, versions.get(plan)) for plan in PlanTier]


def _view_plan(plan: PlanTier, profile: BillingProfile, version: RateCardVersion | None) -> PlanView:
    lines = [] if version is None else [*version.lines.all()]
    is_current = profile.plan == plan
    is_free_to_choose = view_subscription(profile) is None and not is_current
    return PlanView(
        plan=plan,
        name=plan.label if version is None else version.card.name,
        is_current=is_current,
        can_subscribe=plan in SUBSCRIBABLE and is_free_to_choose,
        rate_card="" if version is None else str(version),
        lines=sorted(lines, key=lambda line: (line.meter, line.model_pattern, line.token_class)),
    )


def list_disputes() -> QuerySet[PaymentDispute]:
    """Over all tenants, for staff: newest first."""
    return PaymentDispute.objects.select_related("tenant").order_by("-id")


def list_stripe_events(*, state: StripeEventState | None = None, kind: str = "") -> QuerySet[StripeEvent]:
    """The inbox, newest first, without the payloads."""
    wanted = Q() if state is None else Q(state=state)
    if kind:
        wanted &= Q(type=kind)
    return StripeEvent.objects.filter(wanted).defer("payload").order_by("-id")


def get_stripe_event(*, event_row_id: UUID) -> StripeEvent:
    """One of them. Raises NotFound."""
    event = StripeEvent.objects.defer("payload").filter(pk=event_row_id).first()
    if event is None:
        raise NotFound
    return event


def list_all_entries(
    *, tenant: UUID | None = None, since: datetime | None = None, before: datetime | None = None
) -> QuerySet[ReserveLedgerEntry]:
    """Over all tenants, for staff: movements in the order in which they were written. `before` is exclusive."""
    given = {"tenant_id": tenant, "created_at__gte": since, "created_at__lt": before}
    wanted = {name: value for name, value in given.items() if value is not None}
    return ReserveLedgerEntry.objects.filter(**wanted).select_related("hold", "tenant").order_by("id")


def iterate_entries(*, entries: QuerySet[ReserveLedgerEntry]) -> Iterator[ReserveLedgerEntry]:
    """All rows of a list by `seq` (newest first) or by `id`, a batch at a time: nothing grows with its length."""
    is_of_one = entries.query.order_by == ("-seq",)
    rest = entries
    while True:
        batch = list(rest[:_BATCH])
        yield from batch
        if len(batch) < _BATCH:
            return
        last = batch[-1]
        rest = entries.filter(seq__lt=last.seq) if is_of_one else entries.filter(id__gt=last.id)


def name_subject(document: BillingDocument) -> str:
    """What a document is about, in a few words."""
    return {
        DocumentKind.RECEIPT: "Prepaid credit",
        DocumentKind.CREDIT_NOTE: "Refund",
        DocumentKind.INVOICE: "Subscription",
    }[DocumentKind(document.kind)]
