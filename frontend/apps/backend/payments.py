"""Payments, the documents about them, and the ways to the payment provider's pages. Money is in micros or cents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from apps.backend.pages import Page, read, read_page
from apps.backend.transport import Call, Caller, Download

# The backend asks the payment provider while we wait.
PAYMENT_DEADLINE: Final = 25.0
UNFINISHED: Final = frozenset({"created", "open", "ambiguous", "needs_customer"})
# The looks of states (`shell.formatting`) by the states of payments.
_LOOKS: Final = {
    "created": "unpaid",
    "open": "unpaid",
    "ambiguous": "checking",
    "succeeded": "paid",
    "failed": "declined",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardOfPayment:
    brand: str
    last4: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """`state` is created, open, ambiguous, needs_customer, succeeded, failed or canceled. `checkout_url` is the
    payment page, while it can still be paid there."""

    id: UUID
    kind: str
    kind_label: str
    state: str
    state_label: str
    amount_micros: int
    amount_cents: int
    currency: str
    created_at: datetime
    closed_at: datetime | None
    failure_code: str
    failure_message: str
    card: CardOfPayment | None
    refunded_micros: int
    disputed_micros: int
    document_id: UUID | None
    checkout_url: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may still change by itself, so that a page goes on asking."""
        return self.state in UNFINISHED

    @property
    def look(self) -> str:
        return _LOOKS.get(self.state, self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingDocument:
    """A receipt, a credit note or an invoice, to be had as PDF."""

    id: UUID
    kind: str
    kind_label: str
    number: str
    amount_micros: int
    amount_cents: int
    currency: str
    issued_at: datetime
    subject_label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedTopup:
    payment_id: UUID
    session_id: str
    checkout_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedSubscription:
    session_id: str
    checkout_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Portal:
    portal_url: str


@dataclass(frozen=True, slots=True)
class PaymentsApi:
    """Whatever starts a payment raises BackendUnavailable `payments_not_set_up` or `payment_unavailable`."""

    caller: Caller

    def list(self, *, cursor: str | None = None, page_size: int = 25) -> Page[Payment]:
        """Newest first."""
        query = {"cursor": cursor, "page_size": page_size}
        return read_page(Payment, self.caller.send(Call(method="GET", path="/api/billing/payments/", query=query)))

    def start_topup(self, *, amount_cents: int, saves_card: bool, idempotency_key: str) -> StartedTopup:
        """Raises Invalid on `amount_cents`. The same key finds the same payment."""
        payload = {"amount_cents": amount_cents, "save_card": saves_card}
        return read(StartedTopup, self._post("topup/session/", payload, key=idempotency_key))

    def confirm_topup(self, *, session_id: str) -> Payment:
        """How the payment stands now, asked anew of the provider; as often as one likes. Raises NotFound."""
        return read(Payment, self._post("topup/confirm/", {"session_id": session_id}))

    def cancel(self, payment_id: UUID, *, idempotency_key: str) -> Payment:
        """Raises Conflict `wrong_state` when it is too late."""
        return read(Payment, self._post(f"payments/{payment_id}/cancel/", key=idempotency_key))

    def open_portal(self, *, idempotency_key: str) -> str:
        """The address of the provider's page for cards and subscriptions. Owners only; raises Forbidden."""
        return read(_Portal, self._post("portal/session/", key=idempotency_key)).portal_url

    def start_subscription(self, *, plan: str, idempotency_key: str) -> StartedSubscription:
        """Owners only; raises Forbidden, Conflict `already_subscribed`."""
        return read(StartedSubscription, self._post("subscription/session/", {"plan": plan}, key=idempotency_key))

    def documents(self, *, cursor: str | None = None, page_size: int = 25) -> Page[BillingDocument]:
        """Newest first."""
        query = {"cursor": cursor, "page_size": page_size}
        call = Call(method="GET", path="/api/billing/invoices/", query=query)
        return read_page(BillingDocument, self.caller.send(call))

    def document_pdf(self, document_id: UUID) -> Download:
        return self.caller.download(Call(method="GET", path=f"/api/billing/invoices/{document_id}/pdf/"))

    def _post(self, path: str, payload: dict[str, Any] | None = None, *, key: str = "") -> Any:
        call = Call(
            method="POST",
            path=f"/api/billing/{path}",
            payload=payload,
            idempotency_key=key,
            deadline=PAYMENT_DEADLINE,
        )
        return self.caller.send(call)
