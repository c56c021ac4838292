"""The money of the whole house, for staff: reserves, payments, refunds, disputes, costs, Stripe's messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from uuid import UUID

from apps.backend.billing import query_of_days
from apps.backend.pages import Page, read, read_page
from apps.backend.payments import PAYMENT_DEADLINE, Payment
from apps.backend.people import TenantName
from apps.backend.transport import Call, Caller, Download

CostGrouping = Literal["tenant", "model", "day"]
_BASE: Final = "/api/billing/admin"
# What staff may have worked again: what is finished stays so.
_RETRIABLE: Final = frozenset({"received", "failed", "parked"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A reserve that needs a look. `level` is green, yellow or red."""

    tenant: TenantName
    balance_micros: int
    available_micros: int
    level: str
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The newest proof of the whole ledger; `first_broken` says where it broke, empty when nothing did."""

    at: datetime
    is_ok: bool
    accounts: int
    entries: int
    events: int
    problems: int
    first_broken: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReserveSummary:
    """`liability_micros` is the sum of positive balances, `debt_micros` of negative ones. Months are of UTC."""

    accounts: int
    balance_micros: int
    liability_micros: int
    debt_micros: int
    held_micros: int
    low: tuple[Standing, ...]
    stopped: tuple[Standing, ...]
    paid_in_month_micros: int
    used_in_month_micros: int
    losses_in_month_micros: int
    last_proof: Proof | None
    last_reconcile: Reconciliation | None
    open_disputes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPayment(Payment):
    tenant: TenantName

    @property
    def left_micros(self) -> int:
        """What can still be given back."""
        return max(0, self.amount_micros - self.refunded_micros - self.disputed_micros)

    @property
    def can_refund(self) -> bool:
        return self.state == "succeeded" and self.left_micros > 0

    @property
    def look_for_staff(self) -> str:
        """It is not them for whom it waits."""
        return "awaited" if self.state == "needs_customer" else self.look


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """`state` is created, ambiguous, pending, succeeded or failed."""

    id: UUID
    payment_id: UUID
    state: str
    amount_micros: int
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeEvent:
    """A message of Stripe's. `state` is received, done, ignored, parked or failed."""

    id: UUID
    event_id: str
    type: str
    livemode: bool
    object_id: str
    state: str
    attempts: int
    last_error: str
    received_at: datetime
    due_at: datetime | None
    done_at: datetime | None

    @property
    def can_retry(self) -> bool:
        return self.state in _RETRIABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """`state` is opened, withdrawn, reinstated, lost or closed; `stripe_status` is Stripe's own word."""

    id: UUID
    tenant: TenantName
    payment_id: UUID
    stripe_dispute_id: str
    state: str
    stripe_status: str
    reason: str
    amount_micros: int
    clawed_back_micros: int
    evidence_due_by: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CostSum:
    """margin = price - provider cost - loss. `not_charged_micros` is what use was worth and nobody paid."""

    events: int
    price_micros: int
    provider_cost_micros: int
    loss_micros: int
    not_charged_micros: int
    margin_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CostGroup(CostSum):
    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    groups: tuple[CostGroup, ...]
    total: CostSum


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusted:
    amount_micros: int
    balance_after_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    policy: str
    floor_micros: int
    is_policy_fixed: bool


@dataclass(frozen=True, slots=True)
class StaffBillingApi:
    """Every call raises Forbidden for others than staff, SecondFactorRequired for staff without one."""

    caller: Caller

    def summary(self) -> ReserveSummary:
        return read(ReserveSummary, self.caller.send(Call(method="GET", path=f"{_BASE}/reserve/summary/")))

    def costs(self, *, by: CostGrouping, from_day: date | None = None, to_day: date | None = None) -> Costs:
        """Both days are inclusive."""
        query = {"group_by": by, **query_of_days(from_day, to_day)}
        return read(Costs, self.caller.send(Call(method="GET", path=f"{_BASE}/usage/costs/", query=query)))

    def payments(self, *, tenant: UUID | None = None, state: str = "", cursor: str | None = None) -> Page[StaffPayment]:
        """Newest first."""
        query = {"tenant": str(tenant) if tenant else None, "state": state, "cursor": cursor}
        return read_page(StaffPayment, self.caller.send(Call(method="GET", path=f"{_BASE}/payments/", query=query)))

    def payment(self, payment_id: UUID) -> StaffPayment:
        return read(StaffPayment, self.caller.send(Call(method="GET", path=f"{_BASE}/payments/{payment_id}/")))

    def refund(self, payment_id: UUID, *, amount_cents: int | None, reason: str, idempotency_key: str) -> Refund:
        """All that is left without an amount. Raises ReauthenticationRequired, Conflict `nothing_to_refund`."""
        amount = {} if amount_cents is None else {"amount_cents": amount_cents}
        payload = {"payment": str(payment_id), "reason": reason, **amount}
        return read(Refund, self._post("refunds/", payload, key=idempotency_key))

    def stripe_events(self, *, state: str = "", kind: str = "", cursor: str | None = None) -> Page[StripeEvent]:
        """Newest first; `kind` is Stripe's type of event."""
        query = {"state": state, "type": kind, "cursor": cursor}
        call = Call(method="GET", path=f"{_BASE}/stripe-events/", query=query)
        return read_page(StripeEvent, self.caller.send(call))

    def retry_event(self, event_id: UUID, *, idempotency_key: str) -> StripeEvent:
        """Raises Conflict `wrong_state` for one that is finished."""
        return read(StripeEvent, self._post(f"stripe-events/{event_id}/retry/", key=idempotency_key))

    def disputes(self, *, cursor: str | None = None) -> Page[Dispute]:
        """Newest first."""
        query = {"cursor": cursor}
        return read_page(Dispute, self.caller.send(Call(method="GET", path=f"{_BASE}/disputes/", query=query)))

    def export_ledger(
        self, *, tenant: UUID | None = None, from_day: date | None = None, to_day: date | None = None
    ) -> Download:
        """All movements as CSV; both days are inclusive."""
        query = {"tenant": str(tenant) if tenant else None, **query_of_days(from_day, to_day)}
        return self.caller.download(Call(method="GET", path=f"{_BASE}/ledger/export.csv", query=query))

    def adjust(self, tenant: UUID, *, amount_micros: int, reason: str, idempotency_key: str) -> Adjusted:
        """Signed; the same key is one adjustment. Raises ReauthenticationRequired."""
        payload = {"tenant": str(tenant), "amount_micros": amount_micros, "reason": reason}
        return read(Adjusted, self._post("reserve/adjust/", payload, key=idempotency_key))

    def change_policy(
        self, tenant: UUID, changes: Mapping[str, Any], *, reason: str, idempotency_key: str
    ) -> PolicySettings:
        """`policy`, `floor_micros`, `is_policy_fixed`: what is not named stays."""
        call = Call(
            method="PATCH",
            path=f"{_BASE}/reserve/{tenant}/policy/",
            payload={**changes, "reason": reason},
            idempotency_key=idempotency_key,
        )
        return read(PolicySettings, self.caller.send(call))

    def _post(self, path: str, payload: dict[str, Any] | None = None, *, key: str) -> Any:
        call = Call(
            method="POST",
            path=f"{_BASE}/{path}",
            payload=payload,
            idempotency_key=key,
            deadline=PAYMENT_DEADLINE,
        )
        return self.caller.send(call)
