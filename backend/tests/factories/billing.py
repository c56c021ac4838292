"""Reserves, prices and holds for tests. Under the test card a token of PLAIN_MODEL costs one micro-dollar."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.billing.models import (
    AutoTopup,
    PaymentAttempt,
    PaymentDispute,
    PaymentRefund,
    RateCardVersion,
    RateLineItem,
    ReserveAccount,
)
from apps.billing.payment_types import (
    ENTRY_OF_PAYMENT,
    UNFINISHED,
    DisputeState,
    PaymentKind,
    PaymentState,
    RefundState,
)
from apps.billing.services import holds, pricing, settlement
from apps.billing.services.accounts import open_account
from apps.billing.services.credits import adjust_reserve, grant_promo_credit
from apps.billing.services.ledger import EntryDraft, post_entry
from apps.billing.services.rate_cards import create_draft, publish_version
from apps.billing.types import (
    DisputePhase,
    EntryKind,
    HoldView,
    Meter,
    PlanTier,
    Policy,
    Quote,
    Settlement,
    TokenClass,
    TokenUsage,
)
from apps.common.ids import uuid7
from apps.common.money import MAX_ABS_MICROS
from apps.common.tenancy import TenantId
from apps.tenants.services import create_tenant
from tests.factories.accounts import make_staff

NOW = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(minutes=3)
PLAIN_MODEL = "plain-model"


def make_line(
    model: str = PLAIN_MODEL,
    token_class: TokenClass = TokenClass.INPUT,
    *,
    price: int = 1_000_000,
    cost: int = 0,
    unit_size: int = 1_000_000,
    is_essential: bool = False,
) -> RateLineItem:
    """An unsaved rate line: `price` and `cost` in micros for `unit_size` tokens."""
    return RateLineItem(
        meter=Meter.LLM_TOKENS,
        model_pattern=model,
        token_class=token_class,
        unit_size=unit_size,
        price_micros=price,
        provider_cost_micros=cost,
        is_free=price == 0,
        is_essential=is_essential,
    )


def make_lines(model: str = PLAIN_MODEL, *, price: int = 1_000_000, cost: int = 400_000) -> list[RateLineItem]:
    """Input and output of a model at one price."""
    return [make_line(model, side, price=price, cost=cost) for side in (TokenClass.INPUT, TokenClass.OUTPUT)]


def make_quantity_line(
    meter: Meter, *, price: int = 20_000, cost: int = 0, unit_size: int = 1, is_essential: bool = False
) -> RateLineItem:
    """An unsaved line of a meter that counts no tokens."""
    return RateLineItem(
        meter=meter,
        model_pattern="*",
        token_class=TokenClass.QUANTITY,
        unit_size=unit_size,
        price_micros=price,
        provider_cost_micros=cost,
        is_free=price == 0,
        is_essential=is_essential,
    )


def publish_prices(
    *lines: RateLineItem, plan: PlanTier = PlanTier.FREE, valid_from: datetime = LONG_AGO
) -> RateCardVersion:
    """A published version with the given lines (default: PLAIN_MODEL at one micro a token)."""
    draft = create_draft(plan=plan, lines=lines or make_lines(), note="", now=LONG_AGO)
    return publish_version(actor=None, version_id=draft.id, valid_from=valid_from, now=LONG_AGO)


def make_reserve(*, funds: int = 0, policy: Policy = Policy.BLOCK, floor: int = -5_000_000) -> TenantId:
    """A tenant with a reserve that holds `funds` micros."""
    tenant = create_tenant(name="Reserve", now=LONG_AGO)
    open_account(tenant=tenant, now=LONG_AGO)
    ReserveAccount.objects.filter(tenant_id=tenant).update(policy=policy, floor_micros=floor)
    if funds:
        fund(tenant, funds)
    return tenant


def fund(tenant: TenantId, micros: int) -> None:
    """Adds a promotional credit."""
    grant_promo_credit(tenant=tenant, amount_micros=micros, source=uuid7(), description="Welcome", now=NOW)


def make_quote(tenant: TenantId, tokens: int, *, model: str = PLAIN_MODEL, at: datetime = NOW) -> Quote:
    """The price of at most `tokens` input tokens: as many micros under the test card."""
    return pricing.quote_call(tenant=tenant, model=model, at_most=TokenUsage(input=tokens), at=at)


@transaction.atomic
def make_hold(
    tenant: TenantId,
    tokens: int,
    *,
    key: str = "",
    model: str = PLAIN_MODEL,
    job_id: UUID | None = None,
    call_id: UUID | None = None,
    now: datetime = NOW,
) -> HoldView:
    """An open hold for a call of at most `tokens` input tokens."""
    return holds.place_hold(
        tenant=tenant,
        operation_key=key or str(uuid7()),
        quote=make_quote(tenant, tokens, model=model),
        job_id=job_id or uuid7(),
        call_id=call_id or uuid7(),
        now=now,
        lease=LEASE,
    )


@transaction.atomic
def settle(hold: HoldView, usage: TokenUsage | int, *, now: datetime = NOW) -> Settlement:
    """Settles a hold by a usage, or by a number of input tokens."""
    return settlement.settle_hold(
        tenant=hold.tenant,
        hold_id=hold.id,
        usage=TokenUsage(input=usage) if isinstance(usage, int) else usage,
        occurred_at=now,
        provider_request_id="req-1",
        duration_ms=1200,
        now=now,
    )


def get_account(tenant: TenantId) -> ReserveAccount:
    """The reserve's row as it stands."""
    return ReserveAccount.objects.get(tenant_id=tenant)


@transaction.atomic
def make_payment(
    tenant: TenantId,
    micros: int = 500,
    *,
    state: PaymentState = PaymentState.SUCCEEDED,
    kind: PaymentKind = PaymentKind.CHECKOUT,
    now: datetime = NOW,
) -> PaymentAttempt:
    """A payment as it stands in `state`; a paid one with its entry. An automatic one finds automatic top-up on."""
    account = get_account(tenant)
    if kind is PaymentKind.AUTOMATIC:
        turn_auto_topup_on(tenant)
    attempt = PaymentAttempt.objects.create(
        tenant_id=tenant,
        account=account,
        kind=kind,
        state=state,
        amount_micros=micros,
        request_key=str(uuid7()),
        stripe_payment_intent_id=f"pi_{uuid7()}",
        created_at=now,
        updated_at=now,
        closed_at=None if state in UNFINISHED else now,
    )
    if state is PaymentState.SUCCEEDED:
        post_entry(tenant=tenant, draft=draft_of(attempt), now=now)
    return attempt


def draft_of(attempt: PaymentAttempt) -> EntryDraft:
    """The credit that a paid attempt becomes."""
    return EntryDraft(
        kind=ENTRY_OF_PAYMENT[PaymentKind(attempt.kind)],
        amount_micros=attempt.amount_micros,
        idempotency_key=f"payment:{attempt.id}",
        description="Top-up",
        payment_intent_id=attempt.stripe_payment_intent_id,
    )


def turn_auto_topup_on(tenant: TenantId, *, cap: int = MAX_ABS_MICROS, **fields: Any) -> AutoTopup:
    """The owner's wish that the reserve fills itself up; by default without a cap that matters."""
    values = {"tenant_id": tenant, "is_on": True, "monthly_cap_micros": cap, "updated_at": LONG_AGO, **fields}
    return AutoTopup.objects.update_or_create(account=get_account(tenant), defaults=values)[0]


@transaction.atomic
def make_refund(
    payment: PaymentAttempt, micros: int, *, state: RefundState = RefundState.SUCCEEDED, now: datetime = NOW
) -> PaymentRefund:
    """A refund that took its amount out of the reserve; a failed one has put it back."""
    refund = PaymentRefund.objects.create(
        tenant_id=payment.tenant_id,
        attempt=payment,
        stripe_refund_id=f"re_{uuid7()}",
        state=state,
        amount_micros=micros,
        clawed_back_micros=micros,
        created_at=now,
        updated_at=now,
    )
    kinds = [EntryKind.REFUND] + [EntryKind.REFUND_REVERSED] * (state is RefundState.FAILED)
    for kind in kinds:
        post_entry(tenant=TenantId(payment.tenant_id), draft=draft_of_refund(refund, kind), now=now)
    return refund


@transaction.atomic
def fail_refund(refund: PaymentRefund, *, now: datetime = NOW) -> None:
    """A bank that sends a refund back: the money is in the reserve again."""
    PaymentRefund.objects.filter(pk=refund.pk).update(state=RefundState.FAILED)
    draft = draft_of_refund(refund, EntryKind.REFUND_REVERSED)
    post_entry(tenant=TenantId(refund.tenant_id), draft=draft, now=now)


def draft_of_refund(refund: PaymentRefund, kind: EntryKind = EntryKind.REFUND) -> EntryDraft:
    """What a refund takes, or what a failed one gives back."""
    micros = refund.clawed_back_micros
    return EntryDraft(
        kind=kind,
        amount_micros=-micros if kind is EntryKind.REFUND else micros,
        idempotency_key=f"{kind}:{refund.id}",
        description="Refund",
        refund_id=refund.stripe_refund_id,
    )


@transaction.atomic
def make_dispute(
    payment: PaymentAttempt, micros: int, *, state: DisputeState = DisputeState.WITHDRAWN, now: datetime = NOW
) -> PaymentDispute:
    """A dispute with what it moved so far: nothing, the money out, or out and in again."""
    has_moved = state not in (DisputeState.OPENED, DisputeState.CLOSED)
    dispute = PaymentDispute.objects.create(
        tenant_id=payment.tenant_id,
        attempt=payment,
        stripe_dispute_id=f"dp_{uuid7()}",
        state=state,
        stripe_status="needs_response",
        amount_micros=micros,
        clawed_back_micros=micros if has_moved else 0,
        created_at=now,
        updated_at=now,
    )
    phases = [DisputePhase.WITHDRAWN] * has_moved + [DisputePhase.REINSTATED] * (state is DisputeState.REINSTATED)
    for phase in phases:
        post_entry(tenant=TenantId(payment.tenant_id), draft=draft_of_dispute(dispute, phase), now=now)
    return dispute


@transaction.atomic
def reinstate(dispute: PaymentDispute, *, now: datetime = NOW) -> None:
    """A dispute that is won: the money is in the reserve again."""
    PaymentDispute.objects.filter(pk=dispute.pk).update(state=DisputeState.REINSTATED)
    draft = draft_of_dispute(dispute, DisputePhase.REINSTATED)
    post_entry(tenant=TenantId(dispute.tenant_id), draft=draft, now=now)


def draft_of_dispute(dispute: PaymentDispute, phase: DisputePhase) -> EntryDraft:
    """What a dispute takes, or gives back."""
    is_out = phase is DisputePhase.WITHDRAWN
    return EntryDraft(
        kind=EntryKind.DISPUTE_WITHDRAWN if is_out else EntryKind.DISPUTE_REINSTATED,
        amount_micros=-dispute.clawed_back_micros if is_out else dispute.clawed_back_micros,
        idempotency_key=f"dispute:{phase}:{dispute.id}",
        description="Dispute",
        dispute_id=dispute.stripe_dispute_id,
        dispute_phase=phase,
    )


def claw_back(tenant: TenantId, micros: int, *, now: datetime = NOW) -> PaymentAttempt:
    """Takes `micros` back of a payment whose money was gone before: the balance falls by as much."""
    payment = make_payment(tenant, micros, now=now)
    adjust_reserve(
        actor=make_staff(),
        tenant=tenant,
        amount_micros=-micros,
        reason="Spent",
        idempotency_key=str(uuid7()),
        now=now,
    )
    make_refund(payment, micros, now=now)
    return payment
