"""The rows of payments: made before Stripe is asked, and moved as its answers come in."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from apps.billing import stripe_gateway as gateway
from apps.billing.models import PaymentAttempt, ReserveAccount
from apps.billing.payment_types import PAYMENT_STATES, UNFINISHED, PaymentKind, PaymentState
from apps.billing.services.payments import automatic
from apps.common.db import require_transaction

# When the janitor asks Stripe again: after a minute or two, then ever more seldom.
_PAUSES: Final = (
    *(timedelta(minutes=minutes) for minutes in (2, 3, 5, 15, 30)),
    *(timedelta(hours=hours) for hours in (1, 2, 6)),
)


def compute_next_look(*, looks: int, now: datetime) -> datetime:
    """When to ask again about a payment that was asked about so many times. Longer than any call may take."""
    return now + _PAUSES[min(looks, len(_PAUSES) - 1)]


def add_attempt(
    *,
    account: ReserveAccount,
    kind: PaymentKind,
    amount_micros: int,
    request_key: str,
    asked_by: UUID | None,
    now: datetime,
) -> PaymentAttempt:
    """The intent, in the caller's transaction: it must be committed before Stripe is asked."""
    require_transaction()
    return PaymentAttempt.objects.create(
        tenant_id=account.tenant_id,
        account=account,
        kind=kind,
        amount_micros=amount_micros,
        request_key=request_key,
        asked_by_id=asked_by,
        look_at=compute_next_look(looks=0, now=now),
        created_at=now,
        updated_at=now,
    )


def note_session(*, attempt: PaymentAttempt, session: gateway.Session, now: datetime) -> None:
    """Keeps the page on which a locked payment is made, and what it already knows of the payment itself."""
    attempt.stripe_session_id = attempt.stripe_session_id or session.id
    attempt.stripe_payment_intent_id = attempt.stripe_payment_intent_id or session.payment_intent_id or None
    attempt.checkout_url = session.url
    _store(attempt, now=now)


def note_payment(*, attempt: PaymentAttempt, payment: gateway.Payment, now: datetime) -> None:
    """Keeps which payment of Stripe's answers for a locked attempt, and the card that it was tried with."""
    attempt.stripe_payment_intent_id = attempt.stripe_payment_intent_id or payment.id
    if payment.card is not None:
        attempt.card_brand, attempt.card_last4 = payment.card.brand, payment.card.last4
        attempt.card_fingerprint = payment.card.fingerprint
    _store(attempt, now=now)


def move_attempt(
    *, attempt: PaymentAttempt, to: PaymentState, now: datetime, code: str = "", message: str = ""
) -> bool:
    """One move of a locked payment, under its account's lock. False when it stands there, or beyond, already.

    The machine of automatic top-ups learns of it in the same transaction.
    """
    require_transaction()
    if not PAYMENT_STATES.allows(PaymentState(attempt.state), to):
        return False
    attempt.state = to
    attempt.failure_code, attempt.failure_message = code[:64], message[:500]
    if to in UNFINISHED:
        attempt.closed_at = None
    else:
        attempt.closed_at, attempt.look_at, attempt.checkout_url = now, None, ""
    _store(attempt, now=now)
    automatic.note_outcome(attempt=attempt, now=now)
    return True


def _store(attempt: PaymentAttempt, *, now: datetime) -> None:
    attempt.updated_at = now
    attempt.save(
        update_fields=[
            *("state", "failure_code", "failure_message", "closed_at", "look_at", "checkout_url", "updated_at"),
            *("stripe_session_id", "stripe_payment_intent_id", "card_brand", "card_last4", "card_fingerprint"),
        ],
        force_update=True,
    )
