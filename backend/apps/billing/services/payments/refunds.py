"""Refunds: taking in what Stripe says about one."""

from datetime import datetime
from typing import Final

from django.db import transaction

from apps.billing import stripe_gateway as gateway
from apps.billing.mails import REFUND_MADE
from apps.billing.models import PaymentAttempt, PaymentRefund, ReserveAccount
from apps.billing.payment_types import REFUND_STATES, RefundState, Suspicious, UnknownPayment
from apps.billing.services.payments.clawbacks import lock_payment, settle_locked
from apps.billing.services.payments.documents import issue_credit_note, name_card
from apps.billing.services.telling import name_amount, tell_owners
from apps.common.money import CURRENCY, cents_to_micros
from apps.common.tenancy import TenantId

_STATE_OF_STATUS: Final = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}


@transaction.atomic
def take_refund(*, refund: gateway.Refund, now: datetime) -> None:
    """Books a refund as Stripe describes it, whoever asked for it. Any order, any number of times.

    Raises UnknownPayment for a payment that is not ours (or not yet known by its id), Suspicious, ReserveBusy.
    """
    known = PaymentAttempt.objects.filter(stripe_payment_intent_id=refund.payment_intent_id).first()
    if known is None:
        raise UnknownPayment
    account, attempt = lock_payment(attempt_id=known.id)
    row = _find_row(attempt, refund) or PaymentRefund(
        tenant_id=attempt.tenant_id,
        attempt=attempt,
        amount_micros=cents_to_micros(refund.amount_cents),
        created_at=now,
    )
    _check_same(row, refund)
    row.stripe_refund_id = refund.id
    _move(row, refund, now=now)
    settle_locked(account=account, attempt=attempt, now=now)
    _write_down(account, attempt, row, now=now)


def _write_down(account: ReserveAccount, attempt: PaymentAttempt, row: PaymentRefund, *, now: datetime) -> None:
    """A mail when the money is on its way, a document when it has arrived; each once."""
    if row.state == RefundState.FAILED:
        return
    if row.state == RefundState.SUCCEEDED:
        issue_credit_note(refund=row, now=now)
    tell_owners(
        tenant=TenantId(attempt.tenant_id),
        kind=REFUND_MADE,
        context={
            "amount": name_amount(row.amount_micros),
            "card": name_card(brand=attempt.card_brand, last4=attempt.card_last4) or "card",
            "balance": name_amount(account.balance_micros),
            "reason": row.reason,
        },
        key=str(row.id),
        now=now,
    )


def _find_row(attempt: PaymentAttempt, refund: gateway.Refund) -> PaymentRefund | None:
    """The refund by Stripe's id, or the one of ours that it names, if nothing else has answered for that yet."""
    rows = PaymentRefund.objects.filter(attempt=attempt)
    by_id = rows.filter(stripe_refund_id=refund.id).first()
    if by_id is not None or refund.refund_row_id is None:
        return by_id
    return rows.filter(pk=refund.refund_row_id, stripe_refund_id__isnull=True).first()


def _check_same(row: PaymentRefund, refund: gateway.Refund) -> None:
    if refund.currency.upper() != CURRENCY or cents_to_micros(refund.amount_cents) != row.amount_micros:
        raise Suspicious(f"Refund {refund.id} is of {refund.amount_cents} {refund.currency}.")


def _move(row: PaymentRefund, refund: gateway.Refund, *, now: datetime) -> None:
    """Goes where Stripe says, unless that is behind where the refund already stands."""
    wanted = _STATE_OF_STATUS.get(refund.status, RefundState.PENDING)
    if REFUND_STATES.allows(RefundState(row.state), wanted):
        row.state = wanted
    row.failure_code = refund.failure_reason or "" if row.state == RefundState.FAILED else ""
    # What is on its way may still fail, and what succeeded is told by an event or the daily reconciliation.
    row.look_at = None
    row.updated_at = now
    row.save()
