"""Words of use and costs: what is metered, groups with exact sums, and why one use cost what it did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import models

from apps.billing.types import MAX_QUANTITY, Level, Meter, Policy, TokenUsage
from apps.common.tenancy import TenantId

NO_TOKENS: Final = TokenUsage()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredUse:
    """Something that was used and is over: tokens of a model, or so many units of another meter (`METER_UNITS`).

    `key` names it for ever within its tenant and meter. Its price is that of `occurred_at`. Without a job it stands
    for itself.
    """

    meter: Meter
    key: str
    occurred_at: datetime
    quantity: int = 0
    usage: TokenUsage = NO_TOKENS
    model: str = ""
    job_id: UUID | None = None
    # What the customer was promised that it costs at most; the house bears the rest.
    at_most_micros: int | None = None
    provider_request_id: str = ""
    duration_ms: int = 0

    def __post_init__(self) -> None:
        is_tokens = self.meter is Meter.LLM_TOKENS
        if is_tokens != bool(self.model) or (is_tokens and self.quantity) or (not is_tokens and self.usage.total()):
            raise ValueError("Tokens are of a model, and every other meter is a quantity.")
        if not 0 <= self.quantity <= MAX_QUANTITY:
            raise ValueError("A quantity lies outside its bounds.")


class UsageGrouping(models.TextChoices):
    """What a customer's use can be summed by."""

    DAY = "day", "Day"
    MODEL = "model", "Model"
    JOB = "job", "Job"
    WORKLOG = "worklog", "Worklog entry"
    METER = "meter", "Meter"


class CostGrouping(models.TextChoices):
    """What staff can sum prices and costs by."""

    TENANT = "tenant", "Customer"
    MODEL = "model", "Model"
    DAY = "day", "Day"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageFilter:
    """What use is meant. `since` is inclusive, `before` is not; what is left out narrows nothing."""

    since: datetime | None = None
    before: datetime | None = None
    model: str | None = None
    meter: Meter | None = None
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class UsageGroup:
    """A part of a customer's use. `not_charged_micros` lay above the hold or the floor and was borne by the house."""

    key: str
    label: str
    cost_micros: int
    not_charged_micros: int
    events: int
    tokens_in: int
    tokens_out: int


@dataclass(frozen=True, slots=True)
class UsageGroups:
    """Groups that add up to the total, to the micro."""

    groups: Sequence[UsageGroup]
    total: UsageGroup


@dataclass(frozen=True, slots=True)
class CostGroup:
    """What customers paid, what providers ask for it, and what the house bears without any usage event carrying it.

    margin = price - provider cost - loss. `not_charged_micros` is a price that was never paid; its provider cost is in
    the other two.
    """

    key: str
    label: str
    events: int
    price_micros: int
    provider_cost_micros: int
    loss_micros: int
    not_charged_micros: int

    @property
    def margin_micros(self) -> int:
        return self.price_micros - self.provider_cost_micros - self.loss_micros


@dataclass(frozen=True, slots=True)
class CostGroups:
    groups: Sequence[CostGroup]
    total: CostGroup


@dataclass(frozen=True, slots=True)
class Runway:
    """How many whole days the balance lasts at the mean spend of the last days; None while nothing is spent."""

    days: int | None
    daily_micros: int


@dataclass(frozen=True, slots=True)
class ChargeView:
    """One class of a use with its price and the exact product, as a fraction in lowest terms such as `93/500`."""

    token_class: str
    quantity: int
    unit_size: int
    price_micros: int
    exact: str


@dataclass(frozen=True, slots=True)
class CostReason:
    """Why a use cost what it did, reckoned again from its frozen charges.

    `recomputed_micros` is the exact sum rounded half up once; `matches` says whether the stored event (what was
    charged and what was not) equals it.
    """

    explanation: str
    charges: Sequence[ChargeView]
    exact: str
    recomputed_micros: int
    matches: bool
    rate_card: str
    valid_from: datetime | None
    valid_to: datetime | None
    ledger_seq: int | None


@dataclass(frozen=True, slots=True)
class ReserveStanding:
    """A customer's reserve in a staff list."""

    tenant: TenantId
    name: str
    balance_micros: int
    available_micros: int
    level: Level
    policy: Policy


@dataclass(frozen=True, slots=True)
class ReserveSummary:
    """How all reserves stand together. Months are calendar months in UTC.

    `losses_in_month_micros` is what was used and never paid, at the customers' prices.
    """

    accounts: int
    balance_micros: int
    liability_micros: int
    debt_micros: int
    held_micros: int
    low: Sequence[ReserveStanding]
    stopped: Sequence[ReserveStanding]
    paid_in_month_micros: int
    used_in_month_micros: int
    losses_in_month_micros: int
    reconciled_at: datetime | None
    open_disputes: int
