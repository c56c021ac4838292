"""What was metered: each event with why it cost what it cost, and sums of them. Money is in micros."""

from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Final, Literal
from uuid import UUID

from apps.backend.billing import query_of_days
from apps.backend.errors import BackendUnavailable
from apps.backend.pages import Page, read, read_page
from apps.backend.transport import Call, Caller, QueryValue

GroupBy = Literal["day", "model", "meter", "job", "worklog"]
TOKENS: Final = "llm.tokens"


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
    quantity: int = 0
    tokens: TokenCounts = field(default_factory=TokenCounts)

    @property
    def is_tokens(self) -> bool:
        return self.meter == TOKENS


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeOfUsage:
    """A quantity with the price of `unit_size` of it. `exact` is quantity times price by unit size, as a fraction."""

    token_class: str
    quantity: int
    unit_size: int
    price_micros: int
    exact: str

    @property
    def exact_micros(self) -> Fraction:
        return _fraction_of(self.exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyThisCost:
    """The cost reckoned again from what is stored: `exact` is the sum of the charges, as a fraction, before rounding.

    `ledger_seq` is the number of the movement that took it.
    """

    explanation: str
    charges: tuple[ChargeOfUsage, ...]
    exact: str
    recomputed_micros: int
    matches: bool
    rate_card: str | None
    valid_from: datetime | None
    valid_to: datetime | None
    ledger_seq: int | None

    @property
    def exact_micros(self) -> Fraction:
        return _fraction_of(self.exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDetails(UsageEvent):
    not_charged_micros: int
    why: WhyThisCost


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFilters:
    """`from_day` and `to_day` are inclusive."""

    from_day: date | None = None
    to_day: date | None = None
    model: str = ""
    meter: str = ""
    job: UUID | None = None

    @property
    def query(self) -> dict[str, QueryValue]:
        days = query_of_days(self.from_day, self.to_day)
        return {**days, "model": self.model, "meter": self.meter, "job": str(self.job) if self.job else None}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageSum:
    """`not_charged_micros` is what use would have cost beyond what was taken."""

    cost_micros: int
    not_charged_micros: int
    events: int
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageGroup(UsageSum):
    """`key` is what was grouped by: a day, a name or an id."""

    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageGroups:
    groups: tuple[UsageGroup, ...]
    total: UsageSum


@dataclass(frozen=True, slots=True)
class UsageApi:
    caller: Caller

    def list(
        self, *, filters: UsageFilters | None = None, cursor: str | None = None, page_size: int = 25
    ) -> Page[UsageEvent]:
        """Newest first."""
        query = {**(filters or UsageFilters()).query, "cursor": cursor, "page_size": page_size}
        return read_page(UsageEvent, self.caller.send(Call(method="GET", path="/api/billing/usage/", query=query)))

    def group(self, *, by: GroupBy, filters: UsageFilters) -> UsageGroups:
        query = {**filters.query, "group_by": by}
        return read(UsageGroups, self.caller.send(Call(method="GET", path="/api/billing/usage/", query=query)))

    def get(self, event_id: UUID) -> UsageDetails:
        return read(UsageDetails, self.caller.send(Call(method="GET", path=f"/api/billing/usage/{event_id}/")))


def _fraction_of(text: str) -> Fraction:
    """Raises BackendUnavailable when the answer is no fraction."""
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise BackendUnavailable("The backend's answer could not be read.", code="unexpected_answer") from error
