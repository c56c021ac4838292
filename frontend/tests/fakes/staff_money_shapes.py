"""JSON of the whole house's money in the shapes of the contract, for staff."""

from typing import Any

from tests.fakes.house_shapes import later
from tests.fakes.money_shapes import payment
from tests.fakes.shapes import Json, instant, new_id


def tenant_name(name: str = "Acme", **over: Any) -> Json:
    return {"id": new_id(), "name": name} | over


def standing(name: str = "Acme", **over: Any) -> Json:
    return {
        "tenant": tenant_name(name),
        "balance_micros": -120_000,
        "available_micros": -120_000,
        "level": "red",
        "policy": "warn",
    } | over


def proof(**over: Any) -> Json:
    return {
        "at": instant(),
        "is_ok": True,
        "accounts": 3,
        "entries": 41,
        "events": 28,
        "problems": 0,
        "first_broken": "",
    } | over


def summary(**over: Any) -> Json:
    return {
        "accounts": 3,
        "balance_micros": 41_080_000,
        "liability_micros": 41_200_000,
        "debt_micros": 120_000,
        "held_micros": 40_000,
        "low": [standing("Zenith", balance_micros=600_000, available_micros=600_000, level="yellow")],
        "stopped": [standing()],
        "paid_in_month_micros": 75_000_000,
        "used_in_month_micros": 3_400_372,
        "losses_in_month_micros": 15_000,
        "last_proof": proof(),
        "last_reconcile": {"at": instant()},
        "open_disputes": 1,
    } | over


def staff_payment(state: str = "succeeded", **over: Any) -> Json:
    made = payment(state) | {"tenant": tenant_name()} | over
    made.pop("checkout_url")
    return made


def refund(of: Json, **over: Any) -> Json:
    return {
        "id": new_id(),
        "payment_id": of["id"],
        "state": "succeeded",
        "amount_micros": of["amount_micros"] - of["refunded_micros"] - of["disputed_micros"],
        "reason": "",
        "created_at": instant(),
    } | over


def stripe_event(state: str = "done", **over: Any) -> Json:
    return {
        "id": new_id(),
        "event_id": "evt_1PqV2sKt8nRz",
        "type": "checkout.session.completed",
        "livemode": False,
        "object_id": "cs_test_a1b2c3",
        "state": state,
        "attempts": 1,
        "last_error": "",
        "received_at": instant(),
        "due_at": None,
        "done_at": instant() if state == "done" else None,
    } | over


def dispute(**over: Any) -> Json:
    return {
        "id": new_id(),
        "tenant": tenant_name(),
        "payment_id": new_id(),
        "stripe_dispute_id": "dp_1PqV2sKt8nRz",
        "state": "withdrawn",
        "stripe_status": "needs_response",
        "reason": "fraudulent",
        "amount_micros": 25_000_000,
        "clawed_back_micros": 25_000_000,
        "evidence_due_by": later(days=9),
        "created_at": instant(),
    } | over


def cost_group(label: str = "Acme", **over: Any) -> Json:
    return {
        "key": new_id(),
        "label": label,
        "events": 12,
        "price_micros": 4_464,
        "provider_cost_micros": 1_488,
        "loss_micros": 0,
        "not_charged_micros": 0,
        "margin_micros": 2_976,
    } | over


def cost_total(groups: list[Json]) -> Json:
    names = ("events", "price_micros", "provider_cost_micros", "loss_micros", "not_charged_micros", "margin_micros")
    return {name: sum(group[name] for group in groups) for name in names}
