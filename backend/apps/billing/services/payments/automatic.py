"""Automatic top-ups: the machine that charges the saved card when the reserve runs low."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from apps.billing.models import AutoTopup, PaymentAttempt
from apps.billing.payment_types import AUTO_TOPUP_STATES, AutoTopupState, PaymentKind, PaymentState
from apps.common.db import require_transaction

FIRST_PAUSE: Final = timedelta(hours=1)
MAX_DECLINES: Final = 3
AUTHENTICATION_REQUIRED: Final = "authentication_required"
# Declines after which trying the same card again is pointless, or would look like fraud.
TERMINAL_CODES: Final = frozenset(
    {
        "card_not_supported",
        "card_removed",
        "currency_not_supported",
        "expired_card",
        "fraudulent",
        "incorrect_number",
        "invalid_account",
        "invalid_number",
        "lost_card",
        "merchant_blacklist",
        "pickup_card",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stolen_card",
        "stop_payment_order",
    }
)


def note_outcome(*, attempt: PaymentAttempt, now: datetime) -> None:
    """Moves the machine as an automatic payment of its account has just ended, or begun to wait for the customer.

    In the transaction that moves the payment, under the locks of the account and of the payment. Other payments are
    passed over, and so is an outcome that the machine does not wait for.
    """
    require_transaction()
    if attempt.kind != PaymentKind.AUTOMATIC:
        return
    auto = AutoTopup.objects.select_for_update().get(account_id=attempt.account_id)
    state = PaymentState(attempt.state)
    if state is PaymentState.SUCCEEDED:
        _note_success(auto, now=now)
    elif auto.state != AutoTopupState.ATTEMPTING:
        return
    elif state is PaymentState.CANCELED:
        _move(auto, AutoTopupState.IDLE, now=now)
    elif state is PaymentState.NEEDS_CUSTOMER or attempt.failure_code == AUTHENTICATION_REQUIRED:
        _move(auto, AutoTopupState.NEEDS_CUSTOMER, now=now, last_decline_code=AUTHENTICATION_REQUIRED)
    elif state is PaymentState.FAILED:
        _note_decline(auto, attempt, now=now)


def _note_success(auto: AutoTopup, *, now: datetime) -> None:
    """Whatever came before: the card is good."""
    good: Mapping[str, object] = {
        "declines": 0,
        "last_decline_code": "",
        "failed_fingerprint": "",
        "cooling_until": None,
    }
    if auto.state == AutoTopupState.IDLE:
        _store(auto, now=now, **good)
    else:
        _move(auto, AutoTopupState.IDLE, now=now, **good)


def _note_decline(auto: AutoTopup, attempt: PaymentAttempt, *, now: datetime) -> None:
    declines = auto.declines + 1
    noted: Mapping[str, object] = {
        "declines": declines,
        "last_decline_code": attempt.failure_code,
        "failed_fingerprint": attempt.card_fingerprint,
    }
    if declines >= MAX_DECLINES or attempt.failure_code in TERMINAL_CODES:
        _move(auto, AutoTopupState.SUSPENDED, now=now, cooling_until=None, **noted)
    else:
        until = now + FIRST_PAUSE * 2 ** (declines - 1)
        _move(auto, AutoTopupState.COOLING, now=now, cooling_until=until, **noted)


def _move(auto: AutoTopup, to: AutoTopupState, *, now: datetime, **noted: object) -> None:
    """One move of the machine. The account's lock and the row's are held, so nobody moves it in between."""
    if not AUTO_TOPUP_STATES.allows(AutoTopupState(auto.state), to):
        raise ValueError(f"An automatic top-up does not go from {auto.state} to {to}.")
    _store(auto, now=now, state=to, **noted)


def _store(auto: AutoTopup, *, now: datetime, **values: object) -> None:
    for name, value in values.items():
        setattr(auto, name, value)
    auto.updated_at = now
    auto.save(update_fields=[*values, "updated_at"])
