"""Words of payments: how a payment, a refund, a dispute and an automatic top-up can stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import models

from apps.billing.types import EntryKind
from apps.common.errors import Conflict, Invalid, NotFound, Unavailable
from apps.common.states import StateMachine


class PaymentKind(models.TextChoices):
    CHECKOUT = "checkout", "Checkout"
    AUTOMATIC = "automatic", "Automatic top-up"


# The ledger entry that a succeeded payment becomes.
ENTRY_OF_PAYMENT: Final[Mapping[PaymentKind, EntryKind]] = {
    PaymentKind.CHECKOUT: EntryKind.TOPUP,
    PaymentKind.AUTOMATIC: EntryKind.AUTO_TOPUP,
}


class PaymentState(models.TextChoices):
    CREATED = "created", "Created"
    OPEN = "open", "Open"
    AMBIGUOUS = "ambiguous", "Outcome unknown"
    NEEDS_CUSTOMER = "needs_customer", "Waits for the customer"
    SUCCEEDED = "succeeded", "Paid"
    FAILED = "failed", "Declined"
    CANCELED = "canceled", "Canceled"


# Money that came in is money that came in: a payment that was given up may still succeed.
_ENDS: Final = frozenset({PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.CANCELED})
PAYMENT_STATES: Final = StateMachine(
    name="payment_attempt",
    initial=PaymentState.CREATED,
    moves={
        PaymentState.CREATED: _ENDS | {PaymentState.OPEN, PaymentState.AMBIGUOUS, PaymentState.NEEDS_CUSTOMER},
        PaymentState.OPEN: _ENDS | {PaymentState.AMBIGUOUS, PaymentState.NEEDS_CUSTOMER},
        PaymentState.AMBIGUOUS: _ENDS | {PaymentState.OPEN, PaymentState.NEEDS_CUSTOMER},
        PaymentState.NEEDS_CUSTOMER: _ENDS | {PaymentState.OPEN},
        PaymentState.FAILED: frozenset({PaymentState.SUCCEEDED}),
        PaymentState.CANCELED: frozenset({PaymentState.SUCCEEDED}),
    },
)
UNFINISHED: Final = (
    PaymentState.CREATED,
    PaymentState.OPEN,
    PaymentState.AMBIGUOUS,
    PaymentState.NEEDS_CUSTOMER,
)


class RefundState(models.TextChoices):
    CREATED = "created", "Created"
    AMBIGUOUS = "ambiguous", "Outcome unknown"
    PENDING = "pending", "On its way"
    SUCCEEDED = "succeeded", "Refunded"
    FAILED = "failed", "Failed"


REFUND_STATES: Final = StateMachine(
    name="payment_refund",
    initial=RefundState.CREATED,
    moves={
        RefundState.CREATED: frozenset(set(RefundState) - {RefundState.CREATED}),
        RefundState.AMBIGUOUS: frozenset({RefundState.PENDING, RefundState.SUCCEEDED, RefundState.FAILED}),
        RefundState.PENDING: frozenset({RefundState.SUCCEEDED, RefundState.FAILED}),
        # A bank may send a refund back after it had succeeded.
        RefundState.SUCCEEDED: frozenset({RefundState.FAILED}),
    },
)


class DisputeState(models.TextChoices):
    """What the money of a dispute does. Stripe's own status is kept beside it."""

    OPENED = "opened", "Opened"
    WITHDRAWN = "withdrawn", "Withdrawn"
    REINSTATED = "reinstated", "Given back"
    LOST = "lost", "Lost"
    CLOSED = "closed", "Closed without money moving"


DISPUTE_STATES: Final = StateMachine(
    name="payment_dispute",
    initial=DisputeState.OPENED,
    moves={
        DisputeState.OPENED: frozenset({DisputeState.WITHDRAWN, DisputeState.CLOSED}),
        DisputeState.WITHDRAWN: frozenset({DisputeState.REINSTATED, DisputeState.LOST}),
        DisputeState.LOST: frozenset({DisputeState.REINSTATED}),
        DisputeState.CLOSED: frozenset({DisputeState.WITHDRAWN}),
    },
)


class AutoTopupState(models.TextChoices):
    IDLE = "idle", "Ready"
    ATTEMPTING = "attempting", "Charging the card"
    COOLING = "cooling", "Waits after a decline"
    SUSPENDED = "suspended", "Stopped after declines"
    NEEDS_CUSTOMER = "needs_customer", "Waits for the customer"


AUTO_TOPUP_STATES: Final = StateMachine(
    name="auto_topup",
    initial=AutoTopupState.IDLE,
    moves={
        AutoTopupState.IDLE: frozenset({AutoTopupState.ATTEMPTING}),
        AutoTopupState.ATTEMPTING: frozenset(set(AutoTopupState) - {AutoTopupState.ATTEMPTING}),
        AutoTopupState.COOLING: frozenset({AutoTopupState.ATTEMPTING, AutoTopupState.IDLE}),
        AutoTopupState.SUSPENDED: frozenset({AutoTopupState.IDLE}),
        AutoTopupState.NEEDS_CUSTOMER: frozenset(
            {AutoTopupState.IDLE, AutoTopupState.COOLING, AutoTopupState.SUSPENDED}
        ),
    },
)


class StripeEventState(models.TextChoices):
    RECEIVED = "received", "Received"
    DONE = "done", "Done"
    IGNORED = "ignored", "Of no interest"
    PARKED = "parked", "Parked"
    FAILED = "failed", "Failed for now"


class DocumentKind(models.TextChoices):
    RECEIPT = "receipt", "Receipt"
    CREDIT_NOTE = "credit_note", "Credit note"
    INVOICE = "invoice", "Invoice"


# The first letters of a number tell what it numbers: each kind counts by itself, without a gap.
SERIES_OF_DOCUMENT: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.RECEIPT: "R",
    DocumentKind.CREDIT_NOTE: "C",
    DocumentKind.INVOICE: "I",
}


@dataclass(frozen=True, slots=True)
class CheckoutStarted:
    """A payment that the customer makes on Stripe's page."""

    attempt_id: UUID
    session_id: str
    checkout_url: str


@dataclass(frozen=True, slots=True)
class RefundView:
    """A refund as it stands. `ambiguous` is looked up until it is known."""

    id: UUID
    payment_id: UUID
    state: RefundState
    amount_micros: int
    reason: str
    created_at: datetime


class PaymentsNotSetUp(Unavailable):
    code = "payments_not_set_up"
    message = "Payments are not set up here, so nothing can be paid. Your reserve is untouched."


class PaymentUnavailable(Unavailable):
    code = "payment_unavailable"
    message = "The payment service does not answer at the moment. Nothing was charged twice; please look again shortly."


class TopupOutOfBounds(Invalid):
    code = "topup_out_of_bounds"
    message = "This amount lies outside what can be paid at once."


class NoSavedCard(Conflict):
    code = "no_saved_card"
    message = "There is no saved card yet. Pay once at the checkout, and keep the card there."


class NothingToRefund(Conflict):
    code = "nothing_to_refund"
    message = "There is not that much left of this payment to give back."


class RefundRefused(Conflict):
    code = "refund_refused"
    message = "The payment service does not take this refund. Nothing was given back."


class UnknownPayment(NotFound):
    message = "There is no such payment."


class Suspicious(Conflict):
    """What Stripe says does not fit what we asked for: nothing is booked before a person has looked at it."""

    code = "suspicious_payment"
    message = "This payment does not fit what was asked for."


class AlreadySubscribed(Conflict):
    code = "already_subscribed"
    message = "There is a running subscription. Change or end it on the billing page of the payment service."


class UnknownEvent(NotFound):
    message = "There is no such message."
