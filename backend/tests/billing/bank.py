"""What Stripe says about money that goes back, as values: no server is asked."""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final

from apps.billing.models import PaymentAttempt, ReserveLedgerEntry
from apps.billing.services.payments.disputes import take_dispute
from apps.billing.services.payments.refunds import take_refund
from apps.billing.stripe_gateway import Dispute, Refund
from apps.billing.types import CLAWBACKS, REINSTATEMENTS
from apps.common.money import cents_to_micros
from tests.factories.billing import NOW

_numbers: Final = count(1)


def say_refund(payment: PaymentAttempt, cents: int, *, status: str = "succeeded") -> Refund:
    """A refund of a payment, made by somebody at Stripe's dashboard."""
    return Refund(
        id=f"re_said_{next(_numbers)}",
        payment_intent_id=payment.stripe_payment_intent_id or "",
        amount_cents=cents,
        currency="usd",
        status=status,
        failure_reason="lost_or_stolen_card" if status == "failed" else "",
        refund_row_id=None,
        created_at=NOW,
    )


def say_dispute(payment: PaymentAttempt, cents: int) -> Dispute:
    """A dispute that has just been opened."""
    return Dispute(
        id=f"dp_said_{next(_numbers)}",
        payment_intent_id=payment.stripe_payment_intent_id or "",
        amount_cents=cents,
        currency="usd",
        status="needs_response",
        reason="fraudulent",
        is_withdrawn=False,
        is_reinstated=False,
        evidence_due_by=None,
        created_at=NOW,
    )


def withdrawn(dispute: Dispute) -> Dispute:
    return replace(dispute, is_withdrawn=True)


def won(dispute: Dispute) -> Dispute:
    return replace(dispute, status="won")


def lost(dispute: Dispute) -> Dispute:
    return replace(dispute, status="lost")


def reinstated(dispute: Dispute) -> Dispute:
    return replace(dispute, status="won", is_withdrawn=True, is_reinstated=True)


def list_moves(payment: PaymentAttempt) -> list[tuple[str, int]]:
    """What clawbacks of any payment of this reserve moved, in cents, oldest first."""
    entries = ReserveLedgerEntry.objects.filter(
        account_id=payment.account_id, kind__in=[*CLAWBACKS, *REINSTATEMENTS]
    ).order_by("seq")
    return [(entry.kind, entry.amount_micros // 10_000) for entry in entries]


def sum_taken(payment: PaymentAttempt) -> int:
    """Cents that are out of the reserve because of this payment's refunds and disputes."""
    return -sum(cents for _, cents in list_moves(payment))


@dataclass
class Oracle:
    """One payment at its bank: what of it must be out of the reserve, by the rule alone."""

    payment: PaymentAttempt
    refunds: list[Refund] = field(default_factory=list)
    disputes: list[Dispute] = field(default_factory=list)

    def expect_micros(self) -> int:
        standing = sum(refund.amount_cents for refund in self.refunds if refund.status != "failed")
        gone = sum(one.amount_cents for one in self.disputes if one.is_withdrawn and not one.is_reinstated)
        return min(self.payment.amount_micros, cents_to_micros(standing + gone))

    def tell(self, *, refunds: list[int], disputes: list[int]) -> None:
        """Tells us about these as they now stand, in this order."""
        for index in refunds:
            take_refund(refund=self.refunds[index], now=NOW)
        for index in disputes:
            take_dispute(dispute=self.disputes[index], now=NOW)
