"""Charging the saved card when spending has made a reserve low: decided under the account's lock, asked outside it."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from apps.billing import stripe_gateway as gateway
from apps.billing.models import (
    AutoTopup,
    BillingProfile,
    PaymentAttempt,
    PaymentDispute,
    ReserveAccount,
    ReserveLedgerEntry,
)
from apps.billing.payment_types import UNFINISHED, AutoTopupState, DisputeState, PaymentKind, PaymentState
from apps.billing.services.accounts import lock_account
from apps.billing.services.payments import attempts, automatic, clawbacks, looking
from apps.billing.services.payments.checkout import close_page
from apps.billing.types import CLAWBACKS
from apps.common.clock import Clock, month_start_in
from apps.common.failpoints import failpoint
from apps.common.ids import uuid7
from apps.common.money import micros_to_cents
from apps.common.tenancy import TenantId
from apps.tenants.selectors.members import list_owner_ids

_log = structlog.get_logger(__name__)

# Somebody whose payment page is this fresh is about to pay by themselves.
PAGE_IS_FRESH: Final = timedelta(minutes=10)
# A process that slept longer than this between the commit and the call leaves the attempt to the janitor, who may have
# found by then that it never began.
SEND_WITHIN: Final = timedelta(minutes=2)
# As many unfinished payments are looked at before a charge; of older ones the webhook and the janitor tell.
_LOOKS: Final = 20
_TOOK_NOTHING: Final = (PaymentState.FAILED, PaymentState.CANCELED)


def list_to_charge(*, now: datetime, limit: int) -> list[TenantId]:
    """Customers whose reserve is below their threshold and whose machine is free: over all tenants, for the watch."""
    other_card = BillingProfile.objects.filter(tenant_id=OuterRef("tenant_id")).exclude(
        Q(card_fingerprint="") | Q(card_fingerprint=OuterRef("failed_fingerprint"))
    )
    is_free = (
        Q(state=AutoTopupState.IDLE)
        | Q(state=AutoTopupState.COOLING, cooling_until__lte=now)
        | Q(Exists(other_card), state__in=(AutoTopupState.COOLING, AutoTopupState.SUSPENDED))
    )
    is_low = Q(account__balance_micros__lt=F("threshold_micros") + F("account__held_micros"))
    found = AutoTopup.objects.filter(is_free, is_low, is_on=True, account__is_stopped=False).order_by("id")
    return [TenantId(tenant) for tenant in found.values_list("tenant_id", flat=True)[:limit]]


def check_account(*, tenant: TenantId, clock: Clock) -> PaymentState | None:
    """Charges the saved card once if that is due; returns how the payment stands, or None when none was tried.

    Not in a transaction. Raises PaymentsNotSetUp, PaymentUnavailable (before anything was tried), ReserveBusy.
    """
    gateway.get_gateway()
    if not _is_worth_a_look(tenant, now=clock()):
        return None
    _look_at_the_rest(tenant, clock=clock)
    attempt = _begin(tenant, now=clock())
    return None if attempt is None else _charge(attempt, clock=clock)


@transaction.atomic
def _is_worth_a_look(tenant: TenantId, *, now: datetime) -> bool:
    account = lock_account(tenant=tenant)
    auto = automatic.lock_machine(account=account)
    if auto is None:
        return False
    profile = BillingProfile.objects.get(tenant_id=tenant)
    automatic.lift_for_new_card(auto=auto, fingerprint=profile.card_fingerprint, now=now)
    return _is_due(account, auto, profile, now=now)


def _look_at_the_rest(tenant: TenantId, *, clock: Clock) -> None:
    """The last look: what may have been paid by now is asked for, and what waits in vain is given up."""
    unfinished = PaymentAttempt.objects.filter(tenant_id=tenant, state__in=UNFINISHED).order_by("-id")
    for attempt in unfinished[:_LOOKS]:
        if attempt.state == PaymentState.NEEDS_CUSTOMER and attempt.stripe_payment_intent_id:
            _give_up(attempt)
        looking.look_at_attempt(attempt_id=attempt.id, now=clock())


def _give_up(attempt: PaymentAttempt) -> None:
    """The owner let the machine go on without confirming this payment at their bank."""
    try:
        gateway.get_gateway().cancel_payment(attempt.stripe_payment_intent_id or "")
    except gateway.Refused as refused:
        _log.info("stripe.payment_not_open", attempt=str(attempt.id), code=refused.code)


@transaction.atomic
def _begin(tenant: TenantId, *, now: datetime) -> PaymentAttempt | None:
    """The decision, under the lock: whatever was paid, spent or set in the meantime counts."""
    account = lock_account(tenant=tenant)
    auto = automatic.lock_machine(account=account)
    profile = BillingProfile.objects.get(tenant_id=tenant)
    if auto is None or not _is_due(account, auto, profile, now=now) or not _is_alone(account, now=now):
        return None
    attempt = attempts.add_attempt(
        account=account,
        kind=PaymentKind.AUTOMATIC,
        amount_micros=auto.amount_micros,
        request_key=f"automatic:{uuid7()}",
        asked_by=None,
        now=now,
    )
    attempt.card_brand, attempt.card_last4 = profile.card_brand, profile.card_last4
    attempt.card_fingerprint = profile.card_fingerprint
    attempt.save(update_fields=["card_brand", "card_last4", "card_fingerprint"])
    automatic.begin(auto=auto, now=now)
    return attempt


def _is_due(account: ReserveAccount, auto: AutoTopup, profile: BillingProfile, *, now: datetime) -> bool:
    return (
        auto.is_on
        and (auto.state == AutoTopupState.IDLE or _has_cooled(auto, now=now))
        and account.balance_micros - account.held_micros < auto.threshold_micros
        and bool(profile.payment_method_id and profile.stripe_customer_id)
        and _is_within_bounds(account, auto, now=now)
        and not _is_low_by_clawback(account, auto)
        and not _is_disputed(account, profile)
        # Nobody is left who could have wished for it.
        and bool(list_owner_ids(tenant=TenantId(account.tenant_id)))
    )


def _has_cooled(auto: AutoTopup, *, now: datetime) -> bool:
    return auto.state == AutoTopupState.COOLING and auto.cooling_until is not None and auto.cooling_until <= now


def _is_within_bounds(account: ReserveAccount, auto: AutoTopup, *, now: datetime) -> bool:
    """What a single payment may be, and what the month has left: the calendar month in UTC, as the database counts."""
    if not settings.TOPUP_MIN_CENTS <= micros_to_cents(auto.amount_micros) <= settings.TOPUP_MAX_CENTS:
        return False
    this_month = PaymentAttempt.objects.filter(
        account=account, kind=PaymentKind.AUTOMATIC, created_at__gte=month_start_in("UTC", now=now)
    ).exclude(state__in=_TOOK_NOTHING)
    spent = this_month.aggregate(sum=Sum("amount_micros", default=0))["sum"]
    return int(spent) + auto.amount_micros <= auto.monthly_cap_micros


def _is_low_by_clawback(account: ReserveAccount, auto: AutoTopup) -> bool:
    """Whether a refund or dispute took the reserve below the threshold, and it has not been above since.

    Money that somebody took back is not to be fetched again from the same card.
    """
    if account.is_stopped:
        return True
    entries = ReserveLedgerEntry.objects.filter(account=account)
    last = entries.filter(kind__in=CLAWBACKS).order_by("-seq").first()
    if last is None or last.balance_after_micros >= auto.threshold_micros:
        return False
    return not entries.filter(seq__gt=last.seq, balance_after_micros__gte=auto.threshold_micros).exists()


def _is_disputed(account: ReserveAccount, profile: BillingProfile) -> bool:
    """Whether the holder of this very card disputes a payment at the bank: each further charge may be disputed, too."""
    return PaymentDispute.objects.filter(
        attempt__account=account,
        attempt__card_fingerprint=profile.card_fingerprint,
        state__in=(DisputeState.OPENED, DisputeState.WITHDRAWN),
    ).exists()


def _is_alone(account: ReserveAccount, *, now: datetime) -> bool:
    """No other automatic payment is open, and nobody is at a payment page that they have just opened."""
    unfinished = PaymentAttempt.objects.filter(account=account, state__in=UNFINISHED)
    in_the_way = Q(kind=PaymentKind.AUTOMATIC) | Q(created_at__gt=now - PAGE_IS_FRESH)
    return not unfinished.filter(in_the_way).exists()


def _charge(attempt: PaymentAttempt, *, clock: Clock) -> PaymentState:
    """Asks Stripe, once, under the attempt's id as key. Whatever goes wrong from here on, the janitor can find out."""
    profile = BillingProfile.objects.get(tenant_id=attempt.tenant_id)
    if clock() - attempt.created_at > SEND_WITHIN:
        return PaymentState(attempt.state)
    try:
        payment = gateway.get_gateway().charge_card(
            attempt_id=attempt.id,
            customer_id=profile.stripe_customer_id or "",
            payment_method_id=profile.payment_method_id,
            amount_cents=micros_to_cents(attempt.amount_micros),
        )
    except gateway.Ambiguous:
        return _end(attempt.id, to=PaymentState.AMBIGUOUS, now=clock())
    except gateway.Missing:
        return _end(attempt.id, to=PaymentState.FAILED, now=clock(), code=automatic.CARD_REMOVED)
    except gateway.Refused as refused:
        return _note_refusal(attempt.id, refused, now=clock())
    failpoint("after_stripe_call_before_commit")
    looking.take_payment(payment=payment, now=clock())
    return PaymentState(PaymentAttempt.objects.values_list("state", flat=True).get(pk=attempt.id))


def _note_refusal(attempt_id: UUID, refused: gateway.Refused, *, now: datetime) -> PaymentState:
    code = refused.decline_code or refused.code
    if not refused.payment_intent_id:
        # Not the bank's word but Stripe's on our request: a card that was detached, for instance.
        _log.error("stripe.charge_refused", attempt=str(attempt_id), code=code)
    return _end(
        attempt_id,
        to=PaymentState.FAILED,
        now=now,
        code=code,
        message=refused.message,
        payment_id=refused.payment_intent_id,
    )


@transaction.atomic
def _end(
    attempt_id: UUID, *, to: PaymentState, now: datetime, code: str = "", message: str = "", payment_id: str = ""
) -> PaymentState:
    _, attempt = clawbacks.lock_payment(attempt_id=attempt_id)
    attempt.stripe_payment_intent_id = attempt.stripe_payment_intent_id or payment_id or None
    attempts.move_attempt(attempt=attempt, to=to, now=now, code=code, message=message)
    return PaymentState(attempt.state)


def list_superseded_pages(*, limit: int) -> QuerySet[PaymentAttempt]:
    """Open payment pages of reserves that an automatic top-up has filled since: paying there would be paying twice."""
    filled_since = PaymentAttempt.objects.filter(
        account_id=OuterRef("account_id"),
        kind=PaymentKind.AUTOMATIC,
        state=PaymentState.SUCCEEDED,
        closed_at__gt=OuterRef("created_at"),
    )
    # What is not finished has a next look, and these are few.
    return PaymentAttempt.objects.filter(
        Exists(filled_since),
        look_at__isnull=False,
        kind=PaymentKind.CHECKOUT,
        state=PaymentState.OPEN,
        stripe_session_id__isnull=False,
    ).order_by("id")[:limit]


def close_superseded_page(*, attempt: PaymentAttempt, clock: Clock) -> PaymentState:
    """Closes the page, or credits what was paid there after all. Raises PaymentUnavailable."""
    close_page(attempt=attempt)
    return looking.look_at_attempt(attempt_id=attempt.id, now=clock())
