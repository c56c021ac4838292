"""The reserve, its ledger, its settings and the plans. Money is in micros: millionths of a dollar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from apps.backend.pages import Page, read, read_all, read_page
from apps.backend.transport import Call, Caller, Download, QueryValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """`available_micros` is the balance less what is held for open calls. `level` is green, yellow or red."""

    balance_cents: int
    balance_dollars: str
    balance_micros: int
    available_micros: int
    held_micros: int
    currency: str
    is_low_balance: bool
    policy: str
    low_balance_threshold_micros: int
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """One sentence of arithmetic: why an entry costs what it costs."""

    text: str
    model: str
    rate_card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """`amount_micros` has its sign: credits are positive, debits negative."""

    id: UUID
    seq: int
    kind: str
    kind_label: str
    amount_micros: int
    amount_dollars: str
    balance_after_micros: int
    description: str
    created_at: datetime
    job_id: UUID | None
    lines: tuple[LedgerLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFilters:
    """`from_day` and `to_day` are inclusive."""

    kind: str = ""
    from_day: date | None = None
    to_day: date | None = None

    @property
    def query(self) -> dict[str, QueryValue]:
        return {"kind": self.kind, **query_of_days(self.from_day, self.to_day)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedCard:
    brand: str
    last4: str
    exp_month: int | None
    exp_year: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """`status` is the payment provider's word for it."""

    status: str
    period_end: datetime | None
    cancels_at_period_end: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTerms:
    """Whether anything can be paid here at all, and how much at once."""

    is_set_up: bool
    min_cents: int
    max_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoTopup:
    """`state` is idle, attempting, cooling, suspended or needs_customer."""

    is_on: bool
    threshold_micros: int
    amount_micros: int
    monthly_cap_micros: int
    spent_this_month_micros: int
    state: str
    last_decline_code: str
    cooling_until: datetime | None

    @property
    def look(self) -> str:
        """Its state as a word; while it is off, that."""
        if not self.is_on:
            return "off"
        return "on" if self.state == "idle" else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Runway:
    """How long the reserve lasts at the pace of late; `days` is None when nothing was used."""

    days: int | None
    daily_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingProfile:
    """`debt_micros` is what a payment that was taken back has left below zero."""

    plan: str
    low_balance_threshold_micros: int
    policy: str
    is_policy_fixed: bool
    floor_micros: int
    billing_email: str
    billing_name: str
    billing_address: str
    tax_id: str
    stripe_customer_id: str | None
    rate_card: str | None
    subscription: Subscription | None
    payments: PaymentTerms
    saved_card: SavedCard | None
    auto_topup: AutoTopup
    runway: Runway
    debt_micros: int
    is_stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """What `unit_size` units of a meter cost. An empty `model_pattern` or `token_class` means any."""

    meter: str
    model_pattern: str
    token_class: str
    unit_size: int
    price_micros: int
    is_free: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    plan: str
    name: str
    is_current: bool
    can_subscribe: bool
    rate_card: str | None
    lines: tuple[PriceLine, ...]


@dataclass(frozen=True, slots=True)
class BillingApi:
    caller: Caller

    def balance(self) -> Balance:
        return read(Balance, self.caller.send(Call(method="GET", path="/api/billing/reserve/balance/")))

    def ledger(
        self, *, filters: LedgerFilters | None = None, cursor: str | None = None, page_size: int = 25
    ) -> Page[LedgerEntry]:
        """Newest first."""
        query = {**(filters or LedgerFilters()).query, "cursor": cursor, "page_size": page_size}
        call = Call(method="GET", path="/api/billing/reserve/ledger/", query=query)
        return read_page(LedgerEntry, self.caller.send(call))

    def export_ledger(self, *, filters: LedgerFilters) -> Download:
        """The same as CSV, whole."""
        call = Call(method="GET", path="/api/billing/reserve/ledger/export.csv", query=filters.query)
        return self.caller.download(call)

    def profile(self) -> BillingProfile:
        return read(BillingProfile, self.caller.send(Call(method="GET", path="/api/billing/profile/")))

    def update_profile(self, changes: Mapping[str, Any]) -> BillingProfile:
        """What is not named stays. Owners only: raises Forbidden, `policy_fixed` for a policy that staff chose;
        Conflict `no_saved_card`."""
        call = Call(method="PATCH", path="/api/billing/profile/", payload=dict(changes))
        return read(BillingProfile, self.caller.send(call))

    def resume_auto_topup(self, *, idempotency_key: str) -> AutoTopup:
        """Owners only; raises Forbidden, Conflict `wrong_state`."""
        call = Call(method="POST", path="/api/billing/auto-topup/resume/", idempotency_key=idempotency_key)
        return read(AutoTopup, self.caller.send(call))

    def plans(self) -> tuple[Plan, ...]:
        return read_all(Plan, self.caller.send(Call(method="GET", path="/api/billing/plans/")))


def query_of_days(first: date | None, last: date | None) -> dict[str, QueryValue]:
    return {"from": first.isoformat() if first else None, "to": last.isoformat() if last else None}
