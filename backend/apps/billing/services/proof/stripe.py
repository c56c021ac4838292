"""Our payments, refunds and disputes against those that Stripe lists: the truth outside our database."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from apps.billing.models import PaymentAttempt, PaymentDispute, PaymentRefund, StripeEvent
from apps.billing.payment_types import DisputeState, PaymentState, RefundState
from apps.billing.services.proof.findings import Invariant, Problem
from apps.billing.stripe_gateway import Dispute, Gateway, Payment, Refund
from apps.common.money import cents_to_micros

# Stripe's clock and ours may differ, and what is asked for is made there a moment later.
_OVERLAP: Final = timedelta(hours=1)
_GIVEN_BACK: Final = (RefundState.PENDING, RefundState.SUCCEEDED)


def check_stripe(*, gateway: Gateway, since: datetime, settled_before: datetime) -> Iterator[Problem]:
    """Rules 3 and 4 from Stripe's side, for what began after `since`.

    What Stripe made after `settled_before`, or is about to be worked in the inbox, may still be on its way to us.
    Raises Ambiguous when Stripe does not answer.
    """
    look = _Look(settled_before)
    yield from _check_payments(gateway, look, since=since)
    yield from _check_refunds(gateway, look, since=since)
    yield from _check_disputes(gateway, look, since=since)


class _Look:
    """Tells what may still be on its way."""

    def __init__(self, settled_before: datetime) -> None:
        self._settled_before = settled_before

    def is_due(self, made: Payment | Refund | Dispute) -> bool:
        if made.created_at > self._settled_before:
            return False
        return not StripeEvent.objects.filter(object_id=made.id, due_at__isnull=False).exists()


def _check_payments(gateway: Gateway, look: _Look, *, since: datetime) -> Iterator[Problem]:
    ours = PaymentAttempt.objects.filter(state=PaymentState.SUCCEEDED, created_at__gte=since)
    missing = dict(ours.values_list("stripe_payment_intent_id", "id"))
    for payment in gateway.iter_payments(since=since - _OVERLAP):
        attempt = _find_attempt(payment)
        if payment.status != "succeeded":
            continue
        missing.pop(payment.id, None)
        if attempt is None:
            # Without our mark it pays an invoice, or something that somebody sold by hand.
            if payment.attempt_id is not None and look.is_due(payment):
                yield Problem(Invariant.PAYMENTS, f"Stripe's payment {payment.id}: names a payment that is not ours")
            continue
        is_same = attempt.amount_micros == cents_to_micros(payment.amount_cents)
        if (attempt.state != PaymentState.SUCCEEDED or not is_same) and look.is_due(payment):
            text = f"of {payment.amount_cents} cents is paid, ours is {attempt.state} with {attempt.amount_micros}"
            yield Problem(Invariant.PAYMENTS, f"Stripe's payment {payment.id}: {text}")
    for intent, attempt_id in missing.items():
        yield Problem(Invariant.PAYMENTS, f"payment {attempt_id}: Stripe lists no paid {intent}")


def _find_attempt(payment: Payment) -> PaymentAttempt | None:
    by_intent = PaymentAttempt.objects.filter(stripe_payment_intent_id=payment.id).first()
    if by_intent is not None or payment.attempt_id is None:
        return by_intent
    return PaymentAttempt.objects.filter(pk=payment.attempt_id).first()


def _check_refunds(gateway: Gateway, look: _Look, *, since: datetime) -> Iterator[Problem]:
    ours = PaymentRefund.objects.filter(
        state__in=_GIVEN_BACK, stripe_refund_id__isnull=False, created_at__gte=since, attempt__created_at__gte=since
    )
    missing = dict(ours.values_list("stripe_refund_id", "id"))
    for refund in gateway.iter_refunds(since=since - _OVERLAP):
        missing.pop(refund.id, None)
        row = PaymentRefund.objects.filter(stripe_refund_id=refund.id).first()
        if row is None and not _is_ours(refund.payment_intent_id):
            continue
        has_failed = refund.status in ("failed", "canceled")
        is_same = row is not None and (row.state == RefundState.FAILED) == has_failed
        if not is_same and look.is_due(refund):
            state = "unknown to us" if row is None else row.state
            yield Problem(Invariant.CLAWBACKS, f"Stripe's refund {refund.id}: {refund.status} there, {state} here")
        if row is not None and row.amount_micros != cents_to_micros(refund.amount_cents):
            text = f"{refund.amount_cents} cents there, {row.amount_micros} micros here"
            yield Problem(Invariant.CLAWBACKS, f"Stripe's refund {refund.id}: {text}")
    for stripe_id, row_id in missing.items():
        yield Problem(Invariant.CLAWBACKS, f"refund {row_id}: Stripe lists no {stripe_id}")


def _check_disputes(gateway: Gateway, look: _Look, *, since: datetime) -> Iterator[Problem]:
    for dispute in gateway.iter_disputes(since=since - _OVERLAP):
        row = PaymentDispute.objects.filter(stripe_dispute_id=dispute.id).first()
        if row is None and not _is_ours(dispute.payment_intent_id):
            continue
        is_out = dispute.is_withdrawn and not dispute.is_reinstated
        is_out_here = row is not None and row.state in (DisputeState.WITHDRAWN, DisputeState.LOST)
        if is_out != is_out_here and look.is_due(dispute):
            state = "unknown to us" if row is None else row.state
            text = f"the money is {'gone' if is_out else 'not gone'} there, {state} here"
            yield Problem(Invariant.CLAWBACKS, f"Stripe's dispute {dispute.id}: {text}")


def _is_ours(intent: str) -> bool:
    return PaymentAttempt.objects.filter(stripe_payment_intent_id=intent).exists()
