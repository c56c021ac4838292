"""Automatic top-ups: what the owner wishes, and where the machine stands that charges the saved card.

When it charges is decided in `charging`. The rules of declines are in docs/decisions/0014.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from apps.billing.mails import (
    AUTO_TOPUP_DECLINED,
    AUTO_TOPUP_MADE,
    AUTO_TOPUP_NEEDS_CUSTOMER,
    AUTO_TOPUP_SUSPENDED,
)
from apps.billing.models import AutoTopup, BillingProfile, PaymentAttempt, ReserveAccount
from apps.billing.payment_types import (
    AUTO_TOPUP_STATES,
    UNFINISHED,
    AutoTopupState,
    NoSavedCard,
    PaymentKind,
    PaymentState,
)
from apps.billing.services.accounts import lock_account
from apps.billing.services.audit import record_change
from apps.billing.services.payments.documents import name_card
from apps.billing.services.profiles import check_can_edit_billing
from apps.billing.services.telling import name_amount, name_moment, tell_owners
from apps.common.db import require_transaction
from apps.common.errors import Invalid
from apps.common.money import MAX_ABS_MICROS, MICROS_PER_CENT, cents_as_dollars
from apps.common.states import WrongState
from apps.common.tenancy import TenantId
from apps.tenants.types import Actor

FIRST_PAUSE: Final = timedelta(hours=1)
MAX_DECLINES: Final = 3
AUTHENTICATION_REQUIRED: Final = "authentication_required"
CARD_REMOVED: Final = "card_removed"
# Declines after which trying the same card again is pointless, or would look like fraud.
TERMINAL_CODES: Final = frozenset(
    {
        "card_not_supported",
        CARD_REMOVED,
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
# What is remembered of a card that pays.
_GOOD: Final[Mapping[str, object]] = {
    "declines": 0,
    "last_decline_code": "",
    "failed_fingerprint": "",
    "cooling_until": None,
}


def edit_settings(*, actor: Actor, changes: Mapping[str, int | bool], now: datetime) -> None:
    """Changes any of is_on, threshold_micros, amount_micros and monthly_cap_micros, with an audit row. Owners only.

    Raises Forbidden, Invalid, NoSavedCard, NoReserve, ReserveBusy.
    """
    check_can_edit_billing(actor)
    with transaction.atomic():
        account = lock_account(tenant=actor.tenant)
        known = lock_machine(account=account)
        auto = known or AutoTopup(tenant_id=actor.tenant, account=account)
        before: dict[str, Any] = {name: getattr(auto, name) for name in changes}
        if known is not None and before == dict(changes):
            return
        for name, value in changes.items():
            setattr(auto, name, value)
        _check_amounts(auto)
        if changes.get("is_on"):
            _check_card(actor.tenant)
        auto.updated_at = now
        auto.save()
        _audit(actor, auto, action="auto_topup.edited", before=before, after=dict(changes), now=now)


def resume(*, actor: Actor, now: datetime) -> None:
    """Lets the machine try again, on the word of an owner. With the same card one more decline stops it at once again.

    Raises Forbidden, WrongState while there is nothing to resume, NoSavedCard, NoReserve, ReserveBusy.
    """
    check_can_edit_billing(actor)
    with transaction.atomic():
        auto = lock_machine(account=lock_account(tenant=actor.tenant))
        if auto is None or auto.state in (AutoTopupState.IDLE, AutoTopupState.ATTEMPTING):
            raise WrongState
        profile = _check_card(actor.tenant)
        before = {"state": auto.state}
        is_same_card = profile.card_fingerprint == auto.failed_fingerprint
        _move(auto, AutoTopupState.IDLE, now=now, cooling_until=None, declines=auto.declines if is_same_card else 0)
        _audit(actor, auto, action="auto_topup.resumed", before=before, after={"state": auto.state}, now=now)


def lock_machine(*, account: ReserveAccount) -> AutoTopup | None:
    """The machine of a locked account, if its owner ever set one."""
    require_transaction()
    return AutoTopup.objects.select_for_update(no_key=True).filter(account=account).first()


def lift_for_new_card(*, auto: AutoTopup, fingerprint: str, now: datetime) -> None:
    """Another card than the one that was declined gets its own chance; the same card, saved again, does not."""
    is_held_up = auto.state in (AutoTopupState.COOLING, AutoTopupState.SUSPENDED)
    if is_held_up and fingerprint and auto.failed_fingerprint and fingerprint != auto.failed_fingerprint:
        _move(auto, AutoTopupState.IDLE, now=now, **_GOOD)


def begin(*, auto: AutoTopup, now: datetime) -> None:
    """From now on the machine waits for the payment that was added with this."""
    _move(auto, AutoTopupState.ATTEMPTING, now=now)


def note_outcome(*, attempt: PaymentAttempt, now: datetime) -> None:
    """Moves the machine as an automatic payment of its account has just ended, or begun to wait for the customer.

    In the transaction that moves the payment, under the locks of the account and of the payment. Other payments are
    passed over, and so is an outcome that the machine does not wait for.
    """
    require_transaction()
    if attempt.kind != PaymentKind.AUTOMATIC:
        return
    auto = AutoTopup.objects.select_for_update(no_key=True).get(account_id=attempt.account_id)
    state = PaymentState(attempt.state)
    if state is PaymentState.SUCCEEDED:
        _note_success(auto, attempt, now=now)
    elif auto.state != AutoTopupState.ATTEMPTING:
        return
    elif state is PaymentState.CANCELED:
        _move(auto, AutoTopupState.IDLE, now=now)
    elif state is PaymentState.NEEDS_CUSTOMER or attempt.failure_code == AUTHENTICATION_REQUIRED:
        _move(auto, AutoTopupState.NEEDS_CUSTOMER, now=now, last_decline_code=AUTHENTICATION_REQUIRED)
        _tell(AUTO_TOPUP_NEEDS_CUSTOMER, attempt, now=now)
    elif state is PaymentState.FAILED:
        _note_decline(auto, attempt, now=now)


def _note_success(auto: AutoTopup, attempt: PaymentAttempt, *, now: datetime) -> None:
    """Whatever came before: the card is good. A payment that was thought lost does not end the wait for a newer one."""
    others = PaymentAttempt.objects.filter(account_id=attempt.account_id, kind=PaymentKind.AUTOMATIC)
    if auto.state == AutoTopupState.IDLE or others.filter(state__in=UNFINISHED).exclude(pk=attempt.pk).exists():
        _store(auto, now=now, **_GOOD)
    else:
        _move(auto, AutoTopupState.IDLE, now=now, **_GOOD)
    _tell(AUTO_TOPUP_MADE, attempt, now=now)


def _note_decline(auto: AutoTopup, attempt: PaymentAttempt, *, now: datetime) -> None:
    """A pause that doubles, and an end after a few or after one that is final. One mail at either."""
    declines = auto.declines + 1
    noted: Mapping[str, object] = {
        "declines": declines,
        "last_decline_code": attempt.failure_code,
        "failed_fingerprint": attempt.card_fingerprint,
    }
    why = _explain(attempt)
    if declines >= MAX_DECLINES or attempt.failure_code in TERMINAL_CODES:
        _move(auto, AutoTopupState.SUSPENDED, now=now, cooling_until=None, **noted)
        _tell(AUTO_TOPUP_SUSPENDED, attempt, now=now, why=why, declines=declines)
        return
    until = now + FIRST_PAUSE * 2 ** (declines - 1)
    _move(auto, AutoTopupState.COOLING, now=now, cooling_until=until, **noted)
    if declines == 1:
        _tell(AUTO_TOPUP_DECLINED, attempt, now=now, why=why, again_at=name_moment(until))


def _explain(attempt: PaymentAttempt) -> str:
    if attempt.failure_code == CARD_REMOVED:
        return "The card is no longer there."
    return f"The bank said: {attempt.failure_code.replace('_', ' ')}." if attempt.failure_code else ""


def _tell(kind: str, attempt: PaymentAttempt, *, now: datetime, **more: str | int) -> None:
    balance = ReserveAccount.objects.values_list("balance_micros", flat=True).get(pk=attempt.account_id)
    tell_owners(
        tenant=TenantId(attempt.tenant_id),
        kind=kind,
        context={
            "amount": name_amount(attempt.amount_micros),
            "card": name_card(brand=attempt.card_brand, last4=attempt.card_last4) or "card",
            "balance": name_amount(balance),
            **more,
        },
        key=str(attempt.id),
        now=now,
    )


def _check_amounts(auto: AutoTopup) -> None:
    """A charge is of whole cents within what may be paid at once, and below the month's cap."""
    least, most = settings.TOPUP_MIN_CENTS * MICROS_PER_CENT, settings.TOPUP_MAX_CENTS * MICROS_PER_CENT
    fields: dict[str, list[str]] = {}
    if not least <= auto.amount_micros <= most or auto.amount_micros % MICROS_PER_CENT:
        bounds = [cents_as_dollars(micros // MICROS_PER_CENT) for micros in (least, most)]
        fields["amount_micros"] = [f"Choose an amount in whole cents from ${bounds[0]} to ${bounds[1]}."]
    if not auto.amount_micros <= auto.monthly_cap_micros <= MAX_ABS_MICROS:
        fields["monthly_cap_micros"] = ["The cap of a month must have room for one top-up."]
    if not 0 <= auto.threshold_micros <= MAX_ABS_MICROS:
        fields["threshold_micros"] = ["This is outside what a reserve can hold."]
    if fields:
        raise Invalid(fields=fields)


def _check_card(tenant: TenantId) -> BillingProfile:
    profile = BillingProfile.objects.get(tenant_id=tenant)
    if not profile.payment_method_id or not profile.stripe_customer_id:
        raise NoSavedCard
    return profile


def _audit(
    actor: Actor, auto: AutoTopup, *, action: str, before: Mapping[str, Any], after: Mapping[str, Any], now: datetime
) -> None:
    record_change(
        tenant=actor.tenant,
        actor=actor.user_id,
        action=action,
        target_kind="auto_topup",
        target_id=auto.id,
        before=before,
        after=after,
        now=now,
    )


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
