"""Words of this app: kinds of entry, states, policies, and the frozen values that its services give out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import models

from apps.common.errors import Conflict, Forbidden, Invalid, NotFound, PaymentRequired, Unavailable
from apps.common.states import StateMachine
from apps.common.tenancy import TenantId


class PlanTier(models.TextChoices):
    FREE = "free", "Free"
    STARTER = "starter", "Starter"
    PROFESSIONAL = "professional", "Professional"
    ENTERPRISE = "enterprise", "Enterprise"


class Policy(models.TextChoices):
    """What a spend meets when the available balance does not cover it."""

    BLOCK = "block", "Stop at zero"
    WARN = "warn", "Warn and go on down to the floor"
    LIMITED = "limited", "Stop at zero, but essential meters go on down to the floor"


class Level(models.TextChoices):
    """How the reserve stands, as the status bar colours it."""

    GREEN = "green", "Enough"
    YELLOW = "yellow", "Low"
    RED = "red", "Used up"


class ReserveNotice(models.TextChoices):
    """What a customer is told about a reserve that runs out, from mild to severe. Each once until it has recovered."""

    NONE = "", "Nothing"
    LOW = "low", "Below the threshold"
    EMPTY = "empty", "Used up"
    STOPPED = "stopped", "Nothing can be spent"


class Meter(models.TextChoices):
    """What is counted. Beside tokens, each counts whole units of its own (`METER_UNITS`)."""

    LLM_TOKENS = "llm.tokens", "Language model tokens"
    STORAGE = "storage.gb_month", "Stored files"
    API_CALLS = "api.calls", "API calls with a personal token"
    DOCUMENTS = "documents", "Documents"
    EXPORTS = "exports", "Exports of my data"


# What one unit of a meter's quantity is. Storage is counted finely, so that a day of a small file is not nothing:
# a line of storage with the unit size 1,000,000 is the price of one gigabyte for a month.
METER_UNITS: Final[Mapping[Meter, str]] = {
    Meter.LLM_TOKENS: "tokens",
    Meter.STORAGE: "millionths of a GB-month",
    Meter.API_CALLS: "calls",
    Meter.DOCUMENTS: "documents",
    Meter.EXPORTS: "exports",
}


class TokenClass(models.TextChoices):
    """What is counted apart because providers price it apart. The empty class is a meter's plain quantity."""

    QUANTITY = "", "Quantity"
    INPUT = "input", "Input"
    CACHED_INPUT = "cached_input", "Cached input"
    CACHE_WRITE = "cache_write", "Cache write"
    OUTPUT = "output", "Output"
    REASONING = "reasoning", "Reasoning"


INPUT_CLASSES: Final = (TokenClass.INPUT, TokenClass.CACHED_INPUT, TokenClass.CACHE_WRITE)
OUTPUT_CLASSES: Final = (TokenClass.OUTPUT, TokenClass.REASONING)
TOKEN_CLASSES: Final = (*INPUT_CLASSES, *OUTPUT_CLASSES)

# A class without a line of its own costs what this class costs.
PRICED_AS: Final[Mapping[TokenClass, TokenClass]] = {
    TokenClass.CACHED_INPUT: TokenClass.INPUT,
    TokenClass.CACHE_WRITE: TokenClass.INPUT,
    TokenClass.REASONING: TokenClass.OUTPUT,
}


# The classes without which a model pattern of a meter is no price.
REQUIRED_CLASSES: Final[Mapping[Meter, frozenset[TokenClass]]] = {
    meter: frozenset({TokenClass.INPUT, TokenClass.OUTPUT} if meter is Meter.LLM_TOKENS else {TokenClass.QUANTITY})
    for meter in Meter
}


class EntryKind(models.TextChoices):
    TOPUP = "topup", "Top-up"
    AUTO_TOPUP = "auto_topup", "Automatic top-up"
    PROMO_CREDIT = "promo_credit", "Promotional credit"
    USAGE = "usage", "Usage"
    ADJUSTMENT = "adjustment", "Adjustment"
    REFUND = "refund", "Refund"
    REFUND_REVERSED = "refund_reversed", "Refund that failed"
    DISPUTE_WITHDRAWN = "dispute_withdrawn", "Dispute: withdrawn"
    DISPUTE_REINSTATED = "dispute_reinstated", "Dispute: reinstated"
    CREDIT_EXPIRY = "credit_expiry", "Expired credit"


# Kinds that only ever raise the balance, and kinds that only ever lower it; an adjustment may do either.
CREDITS: Final = (
    EntryKind.TOPUP,
    EntryKind.AUTO_TOPUP,
    EntryKind.PROMO_CREDIT,
    EntryKind.REFUND_REVERSED,
    EntryKind.DISPUTE_REINSTATED,
)
DEBITS: Final = (EntryKind.USAGE, EntryKind.REFUND, EntryKind.DISPUTE_WITHDRAWN, EntryKind.CREDIT_EXPIRY)
# Money that a payment took back: may go below any floor, and stops spending until the balance is back at zero.
CLAWBACKS: Final = (EntryKind.REFUND, EntryKind.DISPUTE_WITHDRAWN)
REINSTATEMENTS: Final = (EntryKind.REFUND_REVERSED, EntryKind.DISPUTE_REINSTATED)
TOPUPS: Final = (EntryKind.TOPUP, EntryKind.AUTO_TOPUP)


class DisputePhase(models.TextChoices):
    WITHDRAWN = "withdrawn", "Withdrawn"
    REINSTATED = "reinstated", "Reinstated"


# The columns that say what an entry rests on. Each kind fills exactly its own; the database holds this table too.
REFERENCE_COLUMNS: Final = (
    "payment_intent_id",
    "refund_id",
    "dispute_id",
    "dispute_phase",
    "hold_id",
    "promo_source",
    "adjustment_id",
    "expired_entry_id",
)
REFERENCES_OF_KIND: Final[Mapping[EntryKind, tuple[str, ...]]] = {
    EntryKind.TOPUP: ("payment_intent_id",),
    EntryKind.AUTO_TOPUP: ("payment_intent_id",),
    EntryKind.PROMO_CREDIT: ("promo_source",),
    EntryKind.USAGE: ("hold_id",),
    EntryKind.ADJUSTMENT: ("adjustment_id",),
    EntryKind.REFUND: ("refund_id",),
    EntryKind.REFUND_REVERSED: ("refund_id",),
    EntryKind.DISPUTE_WITHDRAWN: ("dispute_id", "dispute_phase"),
    EntryKind.DISPUTE_REINSTATED: ("dispute_id", "dispute_phase"),
    EntryKind.CREDIT_EXPIRY: ("expired_entry_id",),
}


class HoldState(models.TextChoices):
    OPEN = "open", "Open"
    SETTLED = "settled", "Settled"
    RELEASED = "released", "Released"
    EXPIRED = "expired", "Expired"


HOLD_STATES: Final = StateMachine(
    name="reserve_hold",
    initial=HoldState.OPEN,
    moves={HoldState.OPEN: frozenset({HoldState.SETTLED, HoldState.RELEASED, HoldState.EXPIRED})},
)


class VersionState(models.TextChoices):
    DRAFT = "draft", "Draft"
    PUBLISHED = "published", "Published"


VERSION_STATES: Final = StateMachine(
    name="rate_card_version",
    initial=VersionState.DRAFT,
    moves={VersionState.DRAFT: frozenset({VersionState.PUBLISHED})},
)


class LossReason(models.TextChoices):
    OUTCOME_UNKNOWN = "outcome_unknown", "The call was sent and its outcome is unknown"
    USAGE_UNKNOWN = "usage_unknown", "The call was answered without a usable count"
    ABOVE_HOLD = "above_hold", "Usage above the hold"
    BELOW_FLOOR = "below_floor", "A reversal had taken the money in the meantime"


# Losses that stand in the place of a usage event, and losses beside one.
UNMETERED_LOSSES: Final = (LossReason.OUTCOME_UNKNOWN, LossReason.USAGE_UNKNOWN)
UNBILLED_LOSSES: Final = (LossReason.ABOVE_HOLD, LossReason.BELOW_FLOOR)


# Bounds of one count in an event, and of the price of a single unit in micros: together they keep every cost within
# what an amount may be.
MAX_QUANTITY: Final = 10**9
MAX_UNIT_PRICE_MICROS: Final = 100_000


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """Counts of tokens, each token in exactly one class."""

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0

    def __post_init__(self) -> None:
        if any(not 0 <= count <= MAX_QUANTITY for count in self.by_class().values()):
            raise ValueError("A count of tokens lies outside its bounds.")

    def total(self) -> int:
        return self.input + self.cached_input + self.cache_write + self.output + self.reasoning

    def by_class(self) -> dict[TokenClass, int]:
        return {token_class: getattr(self, token_class.value) for token_class in TOKEN_CLASSES}


@dataclass(frozen=True, slots=True)
class Charge:
    """One class of a usage with the rate line that prices it: what an event stores, frozen, to be recomputed."""

    line: UUID
    token_class: TokenClass
    quantity: int
    unit_size: int
    price_micros: int
    provider_cost_micros: int

    def to_json(self) -> dict[str, Any]:
        return {
            "line": str(self.line),
            "token_class": self.token_class.value,
            "quantity": self.quantity,
            "unit_size": self.unit_size,
            "price_micros": self.price_micros,
            "provider_cost_micros": self.provider_cost_micros,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Charge":
        return cls(
            line=UUID(value["line"]),
            token_class=TokenClass(value["token_class"]),
            quantity=value["quantity"],
            unit_size=value["unit_size"],
            price_micros=value["price_micros"],
            provider_cost_micros=value["provider_cost_micros"],
        )


@dataclass(frozen=True, slots=True)
class Rated:
    """A usage with its price: what the customer pays and what the provider asks, both exact to the micro."""

    charges: tuple[Charge, ...]
    cost_micros: int
    provider_cost_micros: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What a call may cost at most, and the rate version that this comes from and that its settlement will use."""

    at_most_micros: int
    rate_version_id: UUID
    rate_card_label: str
    model: str
    meter: Meter
    # The provider's price of the same ceiling: what the house loses when the outcome of the call stays unknown.
    provider_at_most_micros: int = 0
    is_essential: bool = False


@dataclass(frozen=True, slots=True)
class HoldView:
    id: UUID
    tenant: TenantId
    job_id: UUID
    call_id: UUID
    amount_micros: int
    state: HoldState
    rate_version_id: UUID
    expires_at: datetime
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class EntryView:
    """A ledger entry as written, or as found when `is_replay`."""

    id: UUID
    seq: int
    kind: EntryKind
    amount_micros: int
    balance_after_micros: int
    is_replay: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a hold was settled. `loss_micros` is what the customer was not charged: above the hold or the floor."""

    usage_event_id: UUID
    ledger_entry_id: UUID | None
    cost_micros: int
    loss_micros: int


@dataclass(frozen=True, slots=True)
class Balance:
    balance_micros: int
    held_micros: int
    available_micros: int
    is_low: bool
    level: Level
    low_balance_threshold_micros: int
    policy: Policy
    currency: str
    floor_micros: int
    is_policy_fixed: bool
    # A payment was taken back below zero: nothing may be spent until the balance is back at zero.
    is_stopped: bool
    notice: ReserveNotice


class InsufficientReserve(PaymentRequired):
    code = "insufficient_reserve"
    message = "Your reserve does not cover this. Top it up and try again."


class NoPrice(Conflict):
    code = "no_price"
    message = "There is no price in force for this model, so nothing was started."


class IdempotencyMismatch(Conflict):
    code = "idempotency_mismatch"
    message = "This idempotency key was already used for another request."


class HoldNotOpen(Conflict):
    code = "hold_not_open"
    message = "This reservation has already ended."


class ReserveBusy(Unavailable):
    message = "Your reserve is busy at the moment. Please try again in a few seconds."


class NoReserve(NotFound):
    message = "There is no reserve account here."


class VersionNotDraft(Conflict):
    code = "version_not_draft"
    message = "Only a draft can be changed or published: a published version stays as it is."


class VersionIncomplete(Invalid):
    code = "version_incomplete"
    message = "This version cannot be published as it stands."


class BelowFloor(Conflict):
    code = "below_floor"
    message = "This would take the reserve below its floor."


class PolicyFixed(Forbidden):
    code = "policy_fixed"
    message = "Your policy was set by our staff and cannot be changed here. Please write to us."
