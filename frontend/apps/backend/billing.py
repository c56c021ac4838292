"""The reserve, its ledger and the metered use behind it. Money is in micros: millionths of a dollar."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from apps.backend.pages import Page, read, read_page
from apps.backend.transport import Call, Caller


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCounts:
    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    id: UUID
    occurred_at: datetime
    meter: str
    model: str
    cost_micros: int | None
    explanation: str
    rate_card: str | None
    job_id: UUID | None
    call_id: UUID | None
    tokens: TokenCounts = field(default_factory=TokenCounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingProfile:
    plan: str
    low_balance_threshold_micros: int
    policy: str
    billing_email: str
    stripe_customer_id: str | None
    rate_card: str | None


@dataclass(frozen=True, slots=True)
class BillingApi:
    caller: Caller

    def balance(self) -> Balance:
        return read(Balance, self.caller.send(Call(method="GET", path="/api/billing/reserve/balance/")))

    def ledger(
        self, *, filters: LedgerFilters | None = None, cursor: str | None = None, page_size: int = 25
    ) -> Page[LedgerEntry]:
        """Newest first."""
        chosen = filters or LedgerFilters()
        query = {
            "kind": chosen.kind,
            "from": chosen.from_day.isoformat() if chosen.from_day else None,
            "to": chosen.to_day.isoformat() if chosen.to_day else None,
            "cursor": cursor,
            "page_size": page_size,
        }
        call = Call(method="GET", path="/api/billing/reserve/ledger/", query=query)
        return read_page(LedgerEntry, self.caller.send(call))

    def usage(self, *, cursor: str | None = None, page_size: int = 25) -> Page[UsageEvent]:
        call = Call(method="GET", path="/api/billing/usage/", query={"cursor": cursor, "page_size": page_size})
        return read_page(UsageEvent, self.caller.send(call))

    def profile(self) -> BillingProfile:
        return read(BillingProfile, self.caller.send(Call(method="GET", path="/api/billing/profile/")))

    def update_profile(self, *, low_balance_threshold_micros: int, billing_email: str) -> BillingProfile:
        """Owners only; raises Forbidden."""
        payload = {"low_balance_threshold_micros": low_balance_threshold_micros, "billing_email": billing_email}
        call = Call(method="PATCH", path="/api/billing/profile/", payload=payload)
        return read(BillingProfile, self.caller.send(call))
