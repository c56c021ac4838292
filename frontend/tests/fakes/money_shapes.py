"""JSON of payments, plans and metered use in the shapes of the contract, with values that a test overrides by name."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.shapes import Json, instant, new_id, usage_event

CHECKOUT = "https://checkout.stripe.com/c/pay/"
PORTAL = "https://billing.stripe.com/p/session/test"


def saved_card(**over: Any) -> Json:
    return {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2031} | over


def auto_topup(**over: Any) -> Json:
    return {
        "is_on": False,
        "threshold_micros": 5_000_000,
        "amount_micros": 20_000_000,
        "monthly_cap_micros": 100_000_000,
        "spent_this_month_micros": 0,
        "state": "idle",
        "last_decline_code": "",
        "cooling_until": None,
    } | over


def profile(**over: Any) -> Json:
    return {
        "plan": "starter",
        "low_balance_threshold_micros": 1_000_000,
        "policy": "warn",
        "is_policy_fixed": False,
        "floor_micros": -5_000_000,
        "billing_email": "ada@example.com",
        "billing_name": "Ada Lovelace",
        "billing_address": "12 St James's Square\nLondon",
        "tax_id": "",
        "stripe_customer_id": "",
        "rate_card": "Starter v1",
        "subscription": None,
        "payments": {"is_set_up": True, "min_cents": 500, "max_cents": 100_000},
        "saved_card": None,
        "auto_topup": auto_topup(),
        "runway": {"days": 23, "daily_micros": 180_000},
        "debt_micros": 0,
        "is_stopped": False,
    } | over


def subscription(**over: Any) -> Json:
    ends = instant(datetime.now(UTC) + timedelta(days=20))
    return {"status": "active", "period_end": ends, "cancels_at_period_end": False} | over


def price_line(**over: Any) -> Json:
    return {
        "meter": "llm.tokens",
        "model_pattern": "builtin-*",
        "token_class": "input",
        "unit_size": 1_000_000,
        "price_micros": 150_000,
        "is_free": False,
    } | over


def plan(name: str = "starter", **over: Any) -> Json:
    free = price_line(meter="documents", model_pattern="", token_class="", unit_size=1, price_micros=0, is_free=True)
    return {
        "plan": name,
        "name": name.capitalize(),
        "is_current": name == "starter",
        "can_subscribe": name == "professional",
        "rate_card": f"{name.capitalize()} v1",
        "lines": [price_line(), price_line(token_class="output", price_micros=600_000), free],
    } | over


def payment(state: str = "succeeded", **over: Any) -> Json:
    labels = {"open": "Open", "ambiguous": "Outcome unknown", "needs_customer": "Waits for the customer"}
    labels |= {"created": "Created", "succeeded": "Paid", "failed": "Declined", "canceled": "Canceled"}
    is_closed = state in {"succeeded", "failed", "canceled"}
    return {
        "id": new_id(),
        "kind": "checkout",
        "kind_label": "Checkout",
        "state": state,
        "state_label": labels[state],
        "amount_micros": 25_000_000,
        "amount_cents": 2500,
        "currency": "USD",
        "created_at": instant(),
        "closed_at": instant() if is_closed else None,
        "failure_code": "card_declined" if state == "failed" else "",
        "failure_message": "Your card was declined." if state == "failed" else "",
        "card": {"brand": "visa", "last4": "4242"} if is_closed else None,
        "refunded_micros": 0,
        "disputed_micros": 0,
        "document_id": new_id() if state == "succeeded" else None,
        "checkout_url": f"{CHECKOUT}cs_test" if state == "open" else "",
    } | over


def document(**over: Any) -> Json:
    return {
        "id": new_id(),
        "kind": "receipt",
        "kind_label": "Receipt",
        "number": "R-000001",
        "amount_micros": 25_000_000,
        "amount_cents": 2500,
        "currency": "USD",
        "issued_at": instant(),
        "subject_label": "Top-up of the reserve",
    } | over


def why(**over: Any) -> Json:
    charge = {"token_class": "input", "quantity": 1240, "unit_size": 1_000_000, "price_micros": 150_000}
    output = {"token_class": "output", "quantity": 310, "unit_size": 1_000_000, "price_micros": 600_000}
    return {
        "explanation": "1,240 input tokens x $0.15/1M + 310 output x $0.60/1M = $0.000372",
        "charges": [charge | {"exact": "186/1"}, output | {"exact": "186/1"}],
        "recomputed_micros": 372,
        "matches": True,
        "rate_card": "Starter v1",
        "valid_from": "2026-11-01T00:00:00Z",
        "valid_to": None,
        "ledger_seq": 2,
        "exact": "372/1",
    } | over


def usage_details(event: Json | None = None, **over: Any) -> Json:
    return (event or usage_event()) | {"not_charged_micros": 0, "why": why(**over)}


def usage_group(key: str, label: str = "", **over: Any) -> Json:
    return {
        "key": key,
        "label": label or key,
        "cost_micros": 372,
        "not_charged_micros": 0,
        "events": 1,
        "tokens_in": 1240,
        "tokens_out": 310,
    } | over


def usage_total(groups: list[Json]) -> Json:
    names = ("cost_micros", "not_charged_micros", "events", "tokens_in", "tokens_out")
    return {name: sum(group[name] for group in groups) for name in names}
