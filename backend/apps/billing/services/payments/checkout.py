"""Paying by Stripe's page: our row first, then the page, then what came of it."""

from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from apps.billing import stripe_gateway as gateway
from apps.billing.models import PaymentAttempt
from apps.billing.payment_types import (
    UNFINISHED,
    CheckoutStarted,
    PaymentKind,
    PaymentState,
    PaymentUnavailable,
    TopupOutOfBounds,
    UnknownPayment,
)
from apps.billing.services.accounts import lock_account
from apps.billing.services.payments import attempts, clawbacks, looking
from apps.billing.services.payments.customers import ensure_customer
from apps.billing.types import IdempotencyMismatch
from apps.common.failpoints import failpoint
from apps.common.money import cents_as_dollars, cents_to_micros, micros_to_cents
from apps.common.states import WrongState
from apps.mail.links import frontend_link
from apps.tenants.types import Actor

_log = structlog.get_logger(__name__)


def start_topup(
    *, actor: Actor, amount_cents: int, saves_card: bool, request_key: str, now: datetime
) -> CheckoutStarted:
    """Opens Stripe's page for a top-up. The same `request_key` finds the same payment and page. Not in a transaction.

    Raises TopupOutOfBounds, PaymentsNotSetUp, NoReserve, IdempotencyMismatch, WrongState, and PaymentUnavailable when
    nobody knows whether the page was made: then nothing was charged, and the same key may ask again.
    """
    check_amount(amount_cents)
    gateway.get_gateway()
    customer_id = ensure_customer(tenant=actor.tenant, now=now)
    attempt = _plan(actor, amount_cents=amount_cents, request_key=request_key, now=now)
    if attempt.stripe_session_id:
        return _view(attempt)
    session = _ask_for_page(attempt, customer_id=customer_id, saves_card=saves_card, now=now)
    failpoint("after_stripe_session")
    return _note_page(attempt.id, session, now=now)


def check_amount(amount_cents: int) -> None:
    """Raises TopupOutOfBounds for an amount that nobody may pay at once."""
    least, most = settings.TOPUP_MIN_CENTS, settings.TOPUP_MAX_CENTS
    if isinstance(amount_cents, bool) or not least <= amount_cents <= most:
        text = f"Choose an amount from ${cents_as_dollars(least)} to ${cents_as_dollars(most)}."
        raise TopupOutOfBounds(fields={"amount_cents": [text]})


@transaction.atomic
def _plan(actor: Actor, *, amount_cents: int, request_key: str, now: datetime) -> PaymentAttempt:
    account = lock_account(tenant=actor.tenant)
    known = PaymentAttempt.objects.filter(account=account, request_key=request_key).first()
    if known is None:
        return attempts.add_attempt(
            account=account,
            kind=PaymentKind.CHECKOUT,
            amount_micros=cents_to_micros(amount_cents),
            request_key=request_key,
            asked_by=actor.user_id,
            now=now,
        )
    if (known.kind, known.amount_micros) != (PaymentKind.CHECKOUT, cents_to_micros(amount_cents)):
        raise IdempotencyMismatch
    if known.stripe_session_id is None and known.state not in UNFINISHED:
        raise WrongState
    return known


def _ask_for_page(attempt: PaymentAttempt, *, customer_id: str, saves_card: bool, now: datetime) -> gateway.Session:
    stripe = gateway.get_gateway()
    page = frontend_link("billing", "topup")
    try:
        # An earlier request may have made the page and lost the answer.
        found = (
            stripe.find_session(attempt_id=attempt.id, customer_id=customer_id) if _was_asked(attempt, now) else None
        )
        return found or stripe.create_topup_session(
            attempt_id=attempt.id,
            customer_id=customer_id,
            amount_cents=micros_to_cents(attempt.amount_micros),
            saves_card=saves_card,
            success_url=f"{page}return/?session_id={{CHECKOUT_SESSION_ID}}",
            cancel_url=f"{page}canceled/",
        )
    except gateway.Ambiguous:
        _end(attempt.id, to=PaymentState.AMBIGUOUS, now=now)
        raise
    except (gateway.Refused, gateway.Missing) as refused:
        _log.exception("stripe.session_refused", attempt=str(attempt.id))
        code = refused.code if isinstance(refused, gateway.Refused) else "missing"
        _end(attempt.id, to=PaymentState.FAILED, now=now, code=code)
        raise PaymentUnavailable from refused


def _was_asked(attempt: PaymentAttempt, now: datetime) -> bool:
    return attempt.created_at != now or attempt.state != PaymentState.CREATED


@transaction.atomic
def _end(attempt_id: UUID, *, to: PaymentState, now: datetime, code: str = "") -> None:
    _, attempt = clawbacks.lock_payment(attempt_id=attempt_id)
    attempts.move_attempt(attempt=attempt, to=to, now=now, code=code)


@transaction.atomic
def _note_page(attempt_id: UUID, session: gateway.Session, *, now: datetime) -> CheckoutStarted:
    _, attempt = clawbacks.lock_payment(attempt_id=attempt_id)
    if attempt.stripe_session_id is None:
        attempts.note_session(attempt=attempt, session=session, now=now)
        attempts.move_attempt(attempt=attempt, to=PaymentState.OPEN, now=now)
    return _view(attempt)


def _view(attempt: PaymentAttempt) -> CheckoutStarted:
    return CheckoutStarted(
        attempt_id=attempt.id, session_id=attempt.stripe_session_id or "", checkout_url=attempt.checkout_url
    )


def cancel_topup(*, actor: Actor, payment_id: UUID, now: datetime) -> PaymentState:
    """Closes the page of a payment that nobody has made yet; one that was paid in the meantime is credited instead.

    Raises UnknownPayment, WrongState, PaymentUnavailable. Calls Stripe: not for a transaction.
    """
    attempt = PaymentAttempt.objects.filter(tenant_id=actor.tenant, pk=payment_id).first()
    if attempt is None:
        raise UnknownPayment
    if attempt.state != PaymentState.OPEN or attempt.stripe_session_id is None:
        raise WrongState
    close_page(attempt=attempt)
    state = looking.look_at_attempt(attempt_id=attempt.id, now=now)
    if state is not PaymentState.CANCELED:
        raise WrongState
    return state


def close_page(*, attempt: PaymentAttempt) -> None:
    """Asks Stripe to close the page of a payment; what has become of it tells the next look. Calls Stripe."""
    try:
        gateway.get_gateway().expire_session(attempt.stripe_session_id or "")
    except gateway.Refused as refused:
        # Paid, or over by itself.
        _log.info("stripe.session_not_open", attempt=str(attempt.id), code=refused.code)
