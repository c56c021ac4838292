"""Refunds: asking for one, taking in what Stripe says about it, and finding out what became of it.

Staff ask for refunds here; those that somebody makes at Stripe's dashboard come in by the same way as our own.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Sum

from apps.billing import stripe_gateway as gateway
from apps.billing.mails import REFUND_MADE
from apps.billing.models import PaymentAttempt, PaymentDispute, PaymentRefund, ReserveAccount
from apps.billing.payment_types import (
    REFUND_STATES,
    DisputeState,
    NothingToRefund,
    PaymentState,
    RefundRefused,
    RefundState,
    RefundView,
    Suspicious,
    UnknownPayment,
)
from apps.billing.services.audit import record_change
from apps.billing.services.payments.clawbacks import lock_payment, settle_locked
from apps.billing.services.payments.documents import issue_credit_note, name_card
from apps.billing.services.telling import name_amount, tell_owners
from apps.billing.types import IdempotencyMismatch
from apps.common.clock import Clock
from apps.common.errors import DomainError, Forbidden, Invalid
from apps.common.failpoints import failpoint
from apps.common.money import CURRENCY, MICROS_PER_CENT, cents_to_micros, micros_to_cents
from apps.common.tenancy import SystemScope, TenantId, system_scope
from apps.tenants.types import Actor

_log = structlog.get_logger(__name__)

_UNKNOWN: Final = (RefundState.CREATED, RefundState.AMBIGUOUS)
_DISPUTE_IS_OVER: Final = (DisputeState.REINSTATED, DisputeState.CLOSED)
_STATE_OF_STATUS: Final = {
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "succeeded": RefundState.SUCCEEDED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}


# When what nobody knows of is asked about again, and when what Stripe does not know by then never began.
_LOOK_AFTER: Final = timedelta(minutes=2)
_LOOK_AT_MOST_AFTER: Final = timedelta(hours=6)
_ABSENT_AFTER: Final = timedelta(minutes=10)
# A process that slept longer than this before the call leaves the refund to whoever looks it up.
_SEND_WITHIN: Final = timedelta(minutes=2)
REASON_MAX: Final = 500


def check_can_refund(actor: Actor) -> None:
    """Raises Forbidden unless the actor belongs to the staff."""
    if not actor.is_staff:
        raise Forbidden("Only staff may refund a payment.")


def ask_refund(
    *, actor: Actor, payment_id: UUID, amount_micros: int | None, reason: str, request_key: str, clock: Clock
) -> RefundView:
    """Gives back a part of a payment, or all that is left of it. Staff only; not in a transaction.

    The same `request_key` finds the same refund, and looks it up if nobody knows what became of it. Raises
    Forbidden, Invalid, UnknownPayment, NothingToRefund, RefundRefused, IdempotencyMismatch, PaymentsNotSetUp,
    PaymentUnavailable.
    """
    check_can_refund(actor)
    _check_wish(amount_micros, reason)
    gateway.get_gateway()
    row, is_new = _plan(
        actor, payment_id, amount_micros=amount_micros, reason=reason.strip(), request_key=request_key, now=clock()
    )
    if is_new:
        _send(row, clock=clock)
    elif row.state in _UNKNOWN:
        look_at_refund(refund_id=row.id, now=clock())
    row.refresh_from_db()
    if row.state == RefundState.FAILED and row.stripe_refund_id is None:
        raise RefundRefused
    return _view(row)


def _check_wish(amount_micros: int | None, reason: str) -> None:
    fields = {}
    if amount_micros is not None and (amount_micros <= 0 or amount_micros % MICROS_PER_CENT):
        fields["amount_cents"] = ["Choose an amount of at least one cent."]
    if not reason.strip() or len(reason) > REASON_MAX:
        fields["reason"] = ["Say why in a sentence or two, for whoever reads this later."]
    if fields:
        raise Invalid(fields=fields)


@transaction.atomic
def _plan(
    actor: Actor, payment_id: UUID, *, amount_micros: int | None, reason: str, request_key: str, now: datetime
) -> tuple[PaymentRefund, bool]:
    """The intent with its audit row, committed before Stripe is asked; or the one that this key made before."""
    account, attempt = lock_payment(attempt_id=payment_id)
    known = PaymentRefund.objects.filter(attempt=attempt, request_key=request_key).first()
    if known is not None:
        if known.reason != reason or amount_micros not in (None, known.amount_micros):
            raise IdempotencyMismatch
        return known, False
    left = compute_refundable(attempt=attempt)
    if left <= 0 or (amount_micros or 0) > left:
        raise NothingToRefund
    row = PaymentRefund.objects.create(
        tenant_id=attempt.tenant_id,
        attempt=attempt,
        amount_micros=amount_micros or left,
        request_key=request_key,
        reason=reason,
        asked_by_id=actor.user_id,
        look_at=now + _LOOK_AFTER,
        created_at=now,
        updated_at=now,
    )
    record_change(
        tenant=TenantId(attempt.tenant_id),
        actor=actor.user_id,
        action="payment.refund_asked",
        target_kind="payment_attempt",
        target_id=attempt.id,
        before={"refundable_micros": left, "balance_micros": account.balance_micros},
        after={"refund": str(row.id), "amount_micros": row.amount_micros},
        reason=reason,
        now=now,
    )
    return row, True


def compute_refundable(*, attempt: PaymentAttempt) -> int:
    """What of a payment is neither given back, nor on its way, nor with the bank of somebody who disputes it."""
    if attempt.state != PaymentState.SUCCEEDED:
        return 0
    refunded = PaymentRefund.objects.filter(attempt=attempt).exclude(state=RefundState.FAILED)
    disputed = PaymentDispute.objects.filter(attempt=attempt).exclude(state__in=_DISPUTE_IS_OVER)
    gone = sum(rows.aggregate(sum=Sum("amount_micros", default=0))["sum"] for rows in (refunded, disputed))
    return attempt.amount_micros - int(gone)


def _send(row: PaymentRefund, *, clock: Clock) -> None:
    if clock() - row.created_at > _SEND_WITHIN:
        return
    try:
        refund = gateway.get_gateway().create_refund(
            refund_id=row.id,
            payment_intent_id=row.attempt.stripe_payment_intent_id or "",
            amount_cents=micros_to_cents(row.amount_micros),
        )
    except gateway.Ambiguous:
        _end(row, RefundState.AMBIGUOUS, now=clock())
    except gateway.Missing:
        _end(row, RefundState.FAILED, now=clock(), code="missing")
    except gateway.Refused as refused:
        _log.warning("stripe.refund_refused", refund=str(row.id), code=refused.code)
        _end(row, RefundState.FAILED, now=clock(), code=refused.code)
    else:
        failpoint("after_stripe_refund_before_commit")
        take_refund(refund=refund, now=clock())


@transaction.atomic
def _end(row: PaymentRefund, to: RefundState, *, now: datetime, code: str = "") -> None:
    """What became of it without a refund of Stripe's; a message may have been faster."""
    lock_payment(attempt_id=row.attempt_id)
    row.refresh_from_db()
    if row.stripe_refund_id is not None or not REFUND_STATES.allows(RefundState(row.state), to):
        return
    row.state, row.failure_code, row.updated_at = to, code[:64], now
    row.look_at = row.look_at if to is RefundState.AMBIGUOUS else None
    row.save(update_fields=["state", "failure_code", "look_at", "updated_at"])


def look_at_refund(*, refund_id: UUID, now: datetime) -> None:
    """Asks Stripe what became of a refund of ours whose answer is missing. Not in a transaction.

    Raises PaymentsNotSetUp, PaymentUnavailable.
    """
    row = PaymentRefund.objects.select_related("attempt").get(pk=refund_id)
    found = gateway.get_gateway().find_refund(
        refund_row_id=row.id, payment_intent_id=row.attempt.stripe_payment_intent_id or ""
    )
    if found is not None:
        take_refund(refund=found, now=now)
    elif now - row.created_at >= _ABSENT_AFTER:
        _end(row, RefundState.FAILED, now=now, code="never_begun")


@system_scope(SystemScope.SWEEPER)
def look_at_due_refunds(*, clock: Clock, limit: int = 100) -> int:
    """The janitor's round over refunds whose answer is missing; returns how many it asked about.

    Each is claimed by moving its next look, so that two janitors never ask about the same.
    """
    looked = 0
    while looked < limit and (row := _claim_due(now=clock())) is not None:
        looked += 1
        try:
            look_at_refund(refund_id=row.id, now=clock())
        except DomainError:
            _log.warning("refund.look_failed", refund=str(row.id), looks=row.looks)
        except Exception:  # noqa: BLE001 - whatever is wrong with one, the next is another customer's
            _log.exception("refund.stuck", refund=str(row.id), looks=row.looks)
    return looked


@transaction.atomic
def _claim_due(*, now: datetime) -> PaymentRefund | None:
    due = PaymentRefund.objects.select_for_update(skip_locked=True, no_key=True).filter(look_at__lte=now)
    row = due.order_by("look_at", "id").first()
    if row is not None:
        row.looks += 1
        row.look_at = now + min(_LOOK_AT_MOST_AFTER, _LOOK_AFTER * 2 ** min(row.looks, 10))
        row.save(update_fields=["looks", "look_at"])
    return row


def _view(row: PaymentRefund) -> RefundView:
    return RefundView(
        id=row.id,
        payment_id=row.attempt_id,
        state=RefundState(row.state),
        amount_micros=row.amount_micros,
        reason=row.reason,
        created_at=row.created_at,
    )


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
