"""The one way by which a payment becomes money in a reserve."""

from datetime import datetime

import structlog
from django.db import transaction

from apps.billing import stripe_gateway as gateway
from apps.billing.models import BillingProfile, PaymentAttempt, ReserveAccount
from apps.billing.payment_types import ENTRY_OF_PAYMENT, PaymentKind, PaymentState, Suspicious
from apps.billing.services.accounts import store_account
from apps.billing.services.ledger import EntryDraft, append_entries
from apps.billing.services.payments import attempts, clawbacks, documents
from apps.billing.services.payments.cards import keep_card
from apps.billing.types import EntryView
from apps.common.money import CURRENCY, cents_to_micros
from apps.common.tenancy import TenantId
from apps.tenants.selectors.members import list_owner_ids

_log = structlog.get_logger(__name__)


@transaction.atomic
def fulfil_payment(*, payment: gateway.Payment, now: datetime) -> EntryView | None:
    """Credits a payment that succeeded at Stripe, once, with its receipt; None for one that has not.

    Whose money it is says our own row, found by the payment's id or, as long as that is not known, by the attempt that
    the metadata names if everything else fits. Raises Suspicious when it does not: then nothing is written.
    """
    if payment.status != "succeeded":
        return None
    found = find_attempt(payment=payment)
    if found is None:
        raise Suspicious(f"Payment {payment.id} is none of ours.")
    account, attempt = clawbacks.lock_payment(attempt_id=found.id)
    _check_fits(attempt, payment)
    entry = _credit(account, attempt, payment, now=now)
    if not entry.is_replay:
        _write_down(account, attempt, payment, now=now)
    return entry


def find_attempt(*, payment: gateway.Payment) -> PaymentAttempt | None:
    """Our row of a payment of Stripe's, if there is one."""
    by_id = PaymentAttempt.objects.filter(stripe_payment_intent_id=payment.id).first()
    if by_id is not None or payment.attempt_id is None:
        return by_id
    named = PaymentAttempt.objects.filter(pk=payment.attempt_id).first()
    return named if named is not None and _is_customer_of(named, payment) else None


def _is_customer_of(attempt: PaymentAttempt, payment: gateway.Payment) -> bool:
    """Metadata can be written by anybody at Stripe's dashboard; who paid cannot."""
    profiles = BillingProfile.objects.filter(tenant_id=attempt.tenant_id, stripe_customer_id=payment.customer_id)
    return bool(payment.customer_id) and profiles.exists()


def _check_fits(attempt: PaymentAttempt, payment: gateway.Payment) -> None:
    if payment.livemode != gateway.is_live_account():
        raise Suspicious(f"Payment {payment.id} is of the wrong mode.")
    if attempt.stripe_payment_intent_id not in (None, payment.id):
        raise Suspicious(f"Payment {payment.id} is a second one of attempt {attempt.id}.")
    if payment.currency != CURRENCY or cents_to_micros(payment.amount_cents) != attempt.amount_micros:
        raise Suspicious(f"Payment {payment.id} is of {payment.amount_cents} {payment.currency}.")


def _credit(account: ReserveAccount, attempt: PaymentAttempt, payment: gateway.Payment, *, now: datetime) -> EntryView:
    kind = ENTRY_OF_PAYMENT[PaymentKind(attempt.kind)]
    draft = EntryDraft(
        kind=kind,
        amount_micros=attempt.amount_micros,
        idempotency_key=f"payment:{payment.id}",
        description=kind.label,
        actor=attempt.asked_by_id,
        payment_intent_id=payment.id,
    )
    [entry] = append_entries(account=account, drafts=[draft], now=now)
    if not entry.is_replay:
        store_account(account=account, now=now)
    return entry


def _write_down(account: ReserveAccount, attempt: PaymentAttempt, payment: gateway.Payment, *, now: datetime) -> None:
    attempts.note_payment(attempt=attempt, payment=payment, now=now)
    attempts.move_attempt(attempt=attempt, to=PaymentState.SUCCEEDED, now=now)
    documents.issue_receipt(attempt=attempt, now=now)
    # What was taken back before we heard of the payment is booked with it.
    clawbacks.settle_locked(account=account, attempt=attempt, now=now)
    if payment.saves_card and payment.card is not None:
        keep_card(tenant=TenantId(attempt.tenant_id), card=payment.card, now=now)
    _log.info("payment.credited", attempt=str(attempt.id), kind=attempt.kind, amount_micros=attempt.amount_micros)
    if not list_owner_ids(tenant=TenantId(attempt.tenant_id)):
        _log.error("payment.without_owner", attempt=str(attempt.id), tenant=str(attempt.tenant_id))
