"""Disputes: taking in what Stripe says about one."""

from datetime import datetime
from typing import Final

from django.db import transaction

from apps.billing import stripe_gateway as gateway
from apps.billing.mails import DISPUTE_OPENED
from apps.billing.models import PaymentAttempt, PaymentDispute
from apps.billing.payment_types import DISPUTE_STATES, DisputeState, Suspicious, UnknownPayment
from apps.billing.services.payments.clawbacks import lock_payment, settle_locked
from apps.billing.services.payments.documents import name_card
from apps.billing.services.telling import name_amount, tell_owners
from apps.common.money import CURRENCY, cents_to_micros
from apps.common.tenancy import TenantId

# Stripe's words for a dispute that has come to its end.
_OVER: Final = ("won", "lost", "warning_closed", "prevented")


@transaction.atomic
def take_dispute(*, dispute: gateway.Dispute, now: datetime) -> None:
    """Books a dispute as Stripe describes it. Any order, any number of times.

    An episode that is over when we first hear of it moves nothing. Raises UnknownPayment, Suspicious, ReserveBusy.
    """
    known = PaymentAttempt.objects.filter(stripe_payment_intent_id=dispute.payment_intent_id).first()
    if known is None:
        raise UnknownPayment
    if dispute.currency.upper() != CURRENCY:
        raise Suspicious(f"Dispute {dispute.id} is in {dispute.currency}.")
    account, attempt = lock_payment(attempt_id=known.id)
    row = PaymentDispute.objects.filter(stripe_dispute_id=dispute.id).first() or PaymentDispute(
        tenant_id=attempt.tenant_id,
        attempt=attempt,
        stripe_dispute_id=dispute.id,
        amount_micros=cents_to_micros(dispute.amount_cents),
        created_at=now,
    )
    row.state = _follow(DisputeState(row.state), _read_state(dispute))
    row.stripe_status, row.reason, row.evidence_due_by = dispute.status, dispute.reason, dispute.evidence_due_by
    row.updated_at = now
    row.save()
    settle_locked(account=account, attempt=attempt, now=now)
    _tell(attempt, row, now=now)


def _tell(attempt: PaymentAttempt, row: PaymentDispute, *, now: datetime) -> None:
    """Once, when it begins: what is over when we first hear of it needs nobody."""
    if row.state not in (DisputeState.OPENED, DisputeState.WITHDRAWN):
        return
    tell_owners(
        tenant=TenantId(attempt.tenant_id),
        kind=DISPUTE_OPENED,
        context={
            "amount": name_amount(row.amount_micros),
            "card": name_card(brand=attempt.card_brand, last4=attempt.card_last4) or "card",
            "paid_on": f"{attempt.closed_at or attempt.created_at:%-d %B %Y}",
        },
        key=str(row.id),
        now=now,
    )


def _read_state(dispute: gateway.Dispute) -> DisputeState:
    if dispute.is_reinstated:
        return DisputeState.REINSTATED
    if dispute.is_withdrawn:
        return DisputeState.LOST if dispute.status == "lost" else DisputeState.WITHDRAWN
    return DisputeState.CLOSED if dispute.status in _OVER else DisputeState.OPENED


def _follow(before: DisputeState, wanted: DisputeState) -> DisputeState:
    """Where Stripe says, over as many moves as were missed, unless that is behind where the dispute stands."""
    reached, fresh = {before}, {before}
    while fresh:
        fresh = {after for state in fresh for after in DISPUTE_STATES.moves.get(state, frozenset())} - reached
        reached |= fresh
    return wanted if wanted in reached else before
