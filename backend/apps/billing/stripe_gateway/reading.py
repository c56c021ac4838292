"""Stripe's JSON into values of ours. Raises KeyError, TypeError or ValueError for what cannot be understood."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from apps.billing.stripe_gateway.objects import Card, Dispute, Invoice, Payment, Refund, Session, Subscription

Json = Mapping[str, Any]


def read_card(raw: object) -> Card | None:
    """The card of a payment method that was expanded; None for an id, or for another way to pay."""
    if not isinstance(raw, Mapping) or not isinstance(raw.get("card"), Mapping):
        return None
    card = raw["card"]
    return Card(
        payment_method_id=_text(raw, "id"),
        brand=_text(card, "brand")[:32],
        last4=_text(card, "last4")[:4],
        exp_month=int(card.get("exp_month") or 0),
        exp_year=int(card.get("exp_year") or 0),
        fingerprint=_text(card, "fingerprint"),
    )


def read_payment(raw: Json) -> Payment:
    failure = raw.get("last_payment_error") or {}
    action = raw.get("next_action") or {}
    return Payment(
        id=raw["id"],
        status=raw["status"],
        amount_cents=_paid_or_asked(raw),
        currency=_currency(raw),
        customer_id=_id(raw.get("customer")),
        attempt_id=_uuid(raw, "attempt"),
        livemode=raw["livemode"],
        created_at=_required_time(raw["created"]),
        card=read_card(raw.get("payment_method")) or read_card(failure.get("payment_method")),
        saves_card=raw.get("setup_future_usage") == "off_session",
        charge_id=_id(raw.get("latest_charge")),
        decline_code=_text(failure, "decline_code") or _text(failure, "code"),
        failure_message=_text(failure, "message")[:500],
        action_url=_text(action.get("redirect_to_url") or {}, "url"),
    )


def read_session(raw: Json) -> Session:
    return Session(
        id=raw["id"],
        url=_text(raw, "url"),
        mode=raw["mode"],
        status=_text(raw, "status"),
        payment_status=_text(raw, "payment_status"),
        payment_intent_id=_id(raw.get("payment_intent")),
        subscription_id=_id(raw.get("subscription")),
        setup_intent_id=_id(raw.get("setup_intent")),
        amount_cents=int(raw.get("amount_total") or 0),
        currency=_currency(raw),
        customer_id=_id(raw.get("customer")),
        attempt_id=_uuid(raw, "attempt"),
        livemode=raw["livemode"],
    )


def read_refund(raw: Json) -> Refund:
    return Refund(
        id=raw["id"],
        payment_intent_id=_id(raw.get("payment_intent")),
        amount_cents=_amount(raw, "amount"),
        currency=_currency(raw),
        status=_text(raw, "status"),
        failure_reason=_text(raw, "failure_reason"),
        refund_row_id=_uuid(raw, "refund"),
        created_at=_required_time(raw["created"]),
    )


def read_dispute(raw: Json) -> Dispute:
    movements = [int(movement["amount"]) for movement in raw.get("balance_transactions") or []]
    return Dispute(
        id=raw["id"],
        payment_intent_id=_id(raw.get("payment_intent")),
        amount_cents=_amount(raw, "amount"),
        currency=_currency(raw),
        status=_text(raw, "status"),
        reason=_text(raw, "reason"),
        is_withdrawn=any(amount < 0 for amount in movements),
        is_reinstated=any(amount > 0 for amount in movements),
        evidence_due_by=_time((raw.get("evidence_details") or {}).get("due_by")),
        created_at=_required_time(raw["created"]),
    )


def read_subscription(raw: Json) -> Subscription:
    items = (raw.get("items") or {}).get("data") or [{}]
    # Newer versions of Stripe's API keep the period on the item, older ones on the subscription.
    period = {**raw, **items[0]}
    return Subscription(
        id=raw["id"],
        customer_id=_id(raw.get("customer")),
        status=raw["status"],
        price_lookup_key=_text(items[0].get("price") or {}, "lookup_key"),
        period_start=_time(period.get("current_period_start")),
        period_end=_time(period.get("current_period_end")),
        cancels_at_period_end=bool(raw.get("cancel_at_period_end")),
        created_at=_required_time(raw["created"]),
        livemode=raw["livemode"],
    )


def read_invoice(raw: Json) -> Invoice:
    parent = (raw.get("parent") or {}).get("subscription_details") or {}
    lines = (raw.get("lines") or {}).get("data") or []
    return Invoice(
        id=raw["id"],
        number=_text(raw, "number"),
        customer_id=_id(raw.get("customer")),
        subscription_id=_id(parent.get("subscription") or raw.get("subscription")),
        status=_text(raw, "status"),
        amount_paid_cents=_amount(raw, "amount_paid"),
        currency=_currency(raw),
        lines=tuple((_text(line, "description"), _amount(line, "amount")) for line in lines),
        period_start=_time(raw.get("period_start")),
        period_end=_time(raw.get("period_end")),
        paid_at=_time((raw.get("status_transitions") or {}).get("paid_at")),
        url=_text(raw, "hosted_invoice_url"),
        livemode=raw["livemode"],
    )


def _paid_or_asked(raw: Json) -> int:
    """What really came in once it has; until then what was asked for."""
    return _amount(raw, "amount_received" if raw["status"] == "succeeded" else "amount")


def _amount(raw: Json, name: str) -> int:
    amount = raw[name]
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise TypeError(f"{name} is no whole number of cents.")
    return amount


def _currency(raw: Json) -> str:
    return _text(raw, "currency").upper()


def _text(raw: Json, name: str) -> str:
    value = raw.get(name)
    return value if isinstance(value, str) else ""


def _id(value: object) -> str:
    """The id of a reference, expanded or not; empty for none."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value if isinstance(value, str) else ""


def _uuid(raw: Json, name: str) -> UUID | None:
    try:
        return UUID(_text(raw.get("metadata") or {}, name))
    except ValueError:
        return None


def _time(value: object) -> datetime | None:
    return _required_time(value) if isinstance(value, int) else None


def _required_time(value: Any) -> datetime:
    return datetime.fromtimestamp(value, tz=UTC)
