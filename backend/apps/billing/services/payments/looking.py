"""Finding out what became of a payment, by asking Stripe and by nothing else."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction

from apps.billing import stripe_gateway as gateway
from apps.billing.models import BillingProfile, PaymentAttempt
from apps.billing.payment_types import PaymentKind, PaymentState, Suspicious, UnknownPayment
from apps.billing.services.payments import attempts, clawbacks
from apps.billing.services.payments.fulfilment import find_attempt, fulfil_payment
from apps.common.clock import Clock
from apps.common.tenancy import SystemScope, system_scope
from apps.tenants.types import Actor

_log = structlog.get_logger(__name__)

# A request that was cut may still be carried out; what Stripe does not know after this long never began.
ABSENT_AFTER: Final = timedelta(minutes=10)
# An automatic charge that still waits for somebody is given up after this long.
GIVE_UP_AFTER: Final = timedelta(hours=24)
# How long one round may go on when Stripe is slow: other duties wait for the same workers.
ROUND: Final = timedelta(seconds=30)
# Payments of our clock and Stripe's may differ by this much.
_SKEW: Final = timedelta(minutes=10)
_GIVEN_UP: Final = ("requires_action", "requires_confirmation", "requires_payment_method")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What Stripe knows of an attempt: its page, its payment, both or neither."""

    session: gateway.Session | None = None
    payment: gateway.Payment | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: PaymentState
    code: str = ""
    message: str = ""


def confirm_topup(*, actor: Actor, session_id: str, now: datetime) -> UUID:
    """Looks at the payment of a page now, for the person who comes back from it; returns which payment it is.

    Raises UnknownPayment (also for a page of another tenant), PaymentUnavailable. Calls Stripe.
    """
    attempt = PaymentAttempt.objects.filter(tenant_id=actor.tenant, stripe_session_id=session_id).first()
    if attempt is None:
        raise UnknownPayment
    look_at_attempt(attempt_id=attempt.id, now=now)
    return attempt.id


def look_at_attempt(*, attempt_id: UUID, now: datetime) -> PaymentState:
    """Asks Stripe about one payment, acts on the answer and returns how it stands then. Not in a transaction.

    Raises UnknownPayment, Suspicious, PaymentsNotSetUp, PaymentUnavailable.
    """
    attempt = PaymentAttempt.objects.filter(pk=attempt_id).first()
    if attempt is None:
        raise UnknownPayment
    if attempt.state == PaymentState.SUCCEEDED:
        return PaymentState.SUCCEEDED
    found = _ask(attempt)
    if _is_to_be_given_up(attempt, found, now=now):
        found = _give_up(found)
    return _act(attempt_id, found, now=now)


def take_payment(*, payment: gateway.Payment, now: datetime) -> None:
    """Acts on a payment that Stripe told us of; one that is neither ours nor money is passed over.

    Raises Suspicious for money that is none of ours. Calls Stripe when it is not clear from the payment alone.
    """
    attempt = find_attempt(payment=payment)
    if attempt is None:
        is_other = payment.attempt_id is None and gateway.get_gateway().pays_invoice(payment.id)
        if payment.status == "succeeded" and not is_other:
            raise Suspicious(f"Payment {payment.id} is none of ours.")
        return
    if payment.status == "succeeded":
        fulfil_payment(payment=payment, now=now)
    else:
        # What a declined card means depends on its page: another card may be tried there.
        look_at_attempt(attempt_id=attempt.id, now=now)


@system_scope(SystemScope.SWEEPER)
def look_at_due(*, clock: Clock, limit: int = 100) -> int:
    """The janitor's round: asks about every unfinished payment whose time has come; returns how many it looked at.

    Each is claimed by moving its next look, so that two janitors never ask about the same, and a crash only delays it.
    """
    looked, ends_at = 0, clock() + ROUND
    if not gateway.is_set_up():
        return looked
    while looked < limit and clock() < ends_at and (attempt := _claim_due(now=clock())) is not None:
        looked += 1
        _look_safely(attempt, clock=clock)
    return looked


@transaction.atomic
def _claim_due(*, now: datetime) -> PaymentAttempt | None:
    due = PaymentAttempt.objects.select_for_update(skip_locked=True, no_key=True).filter(look_at__lte=now)
    attempt = due.order_by("look_at", "id").first()
    if attempt is not None:
        attempt.looks += 1
        attempt.look_at = attempts.compute_next_look(looks=attempt.looks, now=now)
        attempt.save(update_fields=["looks", "look_at"])
    return attempt


def _look_safely(attempt: PaymentAttempt, *, clock: Clock) -> None:
    try:
        look_at_attempt(attempt_id=attempt.id, now=clock())
    except gateway.Ambiguous:
        _log.warning("payment.look_failed", attempt=str(attempt.id), looks=attempt.looks)
    except Exception:  # noqa: BLE001 - whatever is wrong with one payment, the next is another customer's
        _log.exception("payment.stuck", attempt=str(attempt.id), looks=attempt.looks)


def _ask(attempt: PaymentAttempt) -> Found:
    stripe = gateway.get_gateway()
    customer_id = _find_customer_id(attempt)
    session = _ask_for_session(attempt, customer_id) if attempt.kind == PaymentKind.CHECKOUT else None
    payment_id = attempt.stripe_payment_intent_id or (session.payment_intent_id if session else "")
    if payment_id:
        return Found(session=session, payment=stripe.get_payment(payment_id))
    if session is not None or not customer_id:
        return Found(session=session)
    since = attempt.created_at - _SKEW
    return Found(payment=stripe.find_payment(attempt_id=attempt.id, since=since, customer_id=customer_id))


def _ask_for_session(attempt: PaymentAttempt, customer_id: str) -> gateway.Session | None:
    stripe = gateway.get_gateway()
    if attempt.stripe_session_id:
        return stripe.get_session(attempt.stripe_session_id)
    return stripe.find_session(attempt_id=attempt.id, customer_id=customer_id) if customer_id else None


def _find_customer_id(attempt: PaymentAttempt) -> str:
    profile = BillingProfile.objects.filter(tenant_id=attempt.tenant_id).first()
    return (profile.stripe_customer_id if profile else None) or ""


def _is_to_be_given_up(attempt: PaymentAttempt, found: Found, *, now: datetime) -> bool:
    return (
        attempt.kind == PaymentKind.AUTOMATIC
        and found.payment is not None
        and found.payment.status in _GIVEN_UP
        and now - attempt.created_at >= GIVE_UP_AFTER
    )


def _give_up(found: Found) -> Found:
    """Nobody answers the bank any more: what can no longer be charged can no longer surprise anybody."""
    stripe = gateway.get_gateway()
    payment_id = found.payment.id if found.payment else ""
    try:
        return Found(payment=stripe.cancel_payment(payment_id))
    except gateway.Refused:
        return Found(payment=stripe.get_payment(payment_id))


@transaction.atomic
def _act(attempt_id: UUID, found: Found, *, now: datetime) -> PaymentState:
    _, attempt = clawbacks.lock_payment(attempt_id=attempt_id)
    if found.session is not None and attempt.state != PaymentState.SUCCEEDED:
        attempts.note_session(attempt=attempt, session=found.session, now=now)
    if found.payment is not None and found.payment.status == "succeeded":
        _fulfil_own(attempt, found.payment, now=now)
        return PaymentState.SUCCEEDED
    verdict = _judge(attempt, found, now=now)
    if verdict is not None:
        if found.payment is not None:
            attempts.note_payment(attempt=attempt, payment=found.payment, now=now)
        attempts.move_attempt(attempt=attempt, to=verdict.state, now=now, code=verdict.code, message=verdict.message)
    return PaymentState(attempt.state)


def _fulfil_own(attempt: PaymentAttempt, payment: gateway.Payment, *, now: datetime) -> None:
    if attempt.stripe_payment_intent_id is None:
        attempts.note_payment(attempt=attempt, payment=payment, now=now)
    fulfil_payment(payment=payment, now=now)


def _judge(attempt: PaymentAttempt, found: Found, *, now: datetime) -> _Verdict | None:
    """Where an attempt stands by what Stripe says; None while that says nothing."""
    if found.session is None and found.payment is None:
        is_absent = now - attempt.created_at >= ABSENT_AFTER
        return _Verdict(PaymentState.CANCELED, "never_begun", "This payment never began.") if is_absent else None
    if found.session is not None and found.session.status == "open":
        return _Verdict(PaymentState.OPEN)
    if found.session is not None and found.session.status == "expired":
        return _Verdict(PaymentState.CANCELED, "expired", "The payment page was closed before anybody paid.")
    return _judge_payment(attempt, found.payment)


def _judge_payment(attempt: PaymentAttempt, payment: gateway.Payment | None) -> _Verdict:
    match payment.status if payment else "":
        case "requires_payment_method" if payment is not None:
            return _Verdict(PaymentState.FAILED, payment.decline_code or "declined", payment.failure_message)
        case "canceled":
            return _Verdict(PaymentState.CANCELED, "canceled", "The payment was canceled.")
        case "requires_action" if attempt.kind == PaymentKind.AUTOMATIC:
            return _Verdict(PaymentState.NEEDS_CUSTOMER, "authentication_required")
        case _:
            return _Verdict(PaymentState.OPEN)
