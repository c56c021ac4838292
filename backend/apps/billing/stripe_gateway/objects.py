"""Stripe's objects as we see them: what of them matters to the books, in frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    payment_method_id: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment intent. `attempt_id` is what its metadata says, which anybody with Stripe's dashboard may write."""

    id: str
    status: str
    amount_cents: int
    currency: str
    customer_id: str
    attempt_id: UUID | None
    livemode: bool
    created_at: datetime
    card: Card | None = None
    saves_card: bool = False
    charge_id: str = ""
    decline_code: str = ""
    failure_message: str = ""
    action_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A Checkout session: a page of Stripe's where somebody pays, or does not."""

    id: str
    url: str
    mode: str
    status: str
    payment_status: str
    payment_intent_id: str
    subscription_id: str
    setup_intent_id: str
    amount_cents: int
    currency: str
    customer_id: str
    attempt_id: UUID | None
    livemode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    id: str
    payment_intent_id: str
    amount_cents: int
    currency: str
    status: str
    failure_reason: str
    refund_row_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """`is_withdrawn` and `is_reinstated` tell what the money did, from the movements on our balance."""

    id: str
    payment_intent_id: str
    amount_cents: int
    currency: str
    status: str
    reason: str
    is_withdrawn: bool
    is_reinstated: bool
    evidence_due_by: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    id: str
    customer_id: str
    status: str
    price_lookup_key: str
    period_start: datetime | None
    period_end: datetime | None
    cancels_at_period_end: bool
    created_at: datetime
    livemode: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """`lines` are texts with their amounts in cents; `url` is Stripe's own page of it."""

    id: str
    number: str
    customer_id: str
    subscription_id: str
    status: str
    amount_paid_cents: int
    currency: str
    lines: tuple[tuple[str, int], ...]
    period_start: datetime | None
    period_end: datetime | None
    paid_at: datetime | None
    url: str
    livemode: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A message of the webhook. Only its type and the id of its object are acted on."""

    id: str
    type: str
    livemode: bool
    object_id: str
    payload: Mapping[str, Any]
