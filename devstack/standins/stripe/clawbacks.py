"""Money that goes back: refunds and disputes."""

from devstack.standins.stripe.customers import merged_metadata
from devstack.standins.stripe.errors import Json, StripeError, positive_amount
from devstack.standins.stripe.knobs import REFUND_KINDS
from devstack.standins.stripe.lists import list_objects
from devstack.standins.stripe.world import World

EVIDENCE_S = 9 * 86_400
DISPUTE_FEE_CENTS = 1500


def create_refund(world: World, params: Json) -> Json:
    """Give money back, all that is left of a charge or a part of it."""
    paid = _charge_of(world, params)
    left = paid["amount_captured"] - paid["amount_refunded"]
    if left <= 0:
        raise StripeError(f"Charge {paid['id']} has already been refunded.", code="charge_already_refunded")
    amount = positive_amount(params) if params.get("amount") else left
    if amount > left:
        raise StripeError(f"Refund amount ({amount}) is greater than what is left ({left}).", param="amount")
    is_pending = world.knobs.take(REFUND_KINDS, "") is not None
    refund = world.make(
        "refund",
        "re",
        amount=amount,
        charge=paid["id"],
        payment_intent=paid["payment_intent"],
        currency=paid["currency"],
        reason=params.get("reason"),
        metadata=dict(params.get("metadata") or {}),
        status="pending" if is_pending else "succeeded",
        failure_reason=None,
        balance_transaction=world.new_id("txn"),
        receipt_number=None,
    )
    _note(world, "refund", -amount, paid, refund)
    _set_refunded(world, paid, paid["amount_refunded"] + amount)
    world.emit("refund.created", refund)
    world.emit("charge.refunded", paid)
    return refund


def settle_refund(world: World, object_id: str, *, succeeds: bool) -> Json:
    """End a refund: a failed one brings the money back to us, even after it had seemed to succeed."""
    refund = world.store.get("refund", object_id)
    if refund["status"] not in {"pending", "succeeded"}:
        raise StripeError(f"The refund has a status of {refund['status']}.")
    if succeeds:
        refund["status"] = "succeeded"
        world.store.save(refund)
        world.emit("refund.updated", refund)
        return refund
    paid = world.store.get("charge", refund["charge"])
    refund.update(status="failed", failure_reason="expired_or_canceled_card")
    world.store.save(refund)
    _note(world, "refund_failed", refund["amount"], paid, refund)
    _set_refunded(world, paid, paid["amount_refunded"] - refund["amount"])
    world.emit("refund.updated", refund)
    world.emit("refund.failed", refund)
    return refund


def get_refund(world: World, _params: Json, object_id: str) -> Json:
    """Return a refund."""
    return world.store.get("refund", object_id)


def update_refund(world: World, params: Json, object_id: str) -> Json:
    """Change a refund's metadata."""
    refund = world.store.get("refund", object_id)
    refund["metadata"] = merged_metadata(refund, params)
    return world.store.save(refund)


def list_refunds(world: World, params: Json) -> Json:
    """List refunds, newest first."""
    return list_objects(world, "refund", params, url="/v1/refunds", filters=("charge", "payment_intent"))


def open_dispute(world: World, params: Json) -> Json:
    """Let the customer's bank dispute a payment (nothing is withdrawn yet)."""
    paid = _charge_of(world, params)
    if paid["disputed"]:
        raise StripeError("The charge is disputed already.")
    dispute = world.make(
        "dispute",
        "dp",
        amount=positive_amount(params) if params.get("amount") else paid["amount_captured"],
        charge=paid["id"],
        payment_intent=paid["payment_intent"],
        currency=paid["currency"],
        reason=params.get("reason") or "fraudulent",
        status="needs_response",
        metadata={},
        balance_transactions=[],
        evidence_details={"due_by": world.now() + EVIDENCE_S, "has_evidence": False, "submission_count": 0},
        is_charge_refundable=False,
        _withdrawn=False,
    )
    paid["disputed"] = True
    world.store.save(paid)
    world.emit("charge.dispute.created", dispute)
    return dispute


def advance_dispute(world: World, object_id: str, phase: str) -> Json:
    """Move a dispute on: `withdraw`, `reinstate`, `win`, `lose`. Money moves once each way."""
    dispute = world.store.get("dispute", object_id)
    paid = world.store.get("charge", dispute["charge"])
    match phase, dispute["_withdrawn"]:
        case "withdraw", False:
            dispute["_withdrawn"] = True
            _move(world, "dispute_withdrawn", -dispute["amount"], paid, dispute)
            event = "charge.dispute.funds_withdrawn"
        case "reinstate", True:
            dispute["_withdrawn"] = False
            _move(world, "dispute_reinstated", dispute["amount"], paid, dispute)
            event = "charge.dispute.funds_reinstated"
        case (("win" | "lose"), _):
            dispute["status"] = "won" if phase == "win" else "lost"
            event = "charge.dispute.closed"
        case _:
            raise StripeError(f"A dispute in this state has no phase {phase!r}.")
    world.store.save(dispute)
    world.emit(event, dispute)
    return dispute


def get_dispute(world: World, _params: Json, object_id: str) -> Json:
    """Return a dispute."""
    return world.store.get("dispute", object_id)


def list_disputes(world: World, params: Json) -> Json:
    """List disputes, newest first."""
    return list_objects(world, "dispute", params, url="/v1/disputes", filters=("charge", "payment_intent"))


def _charge_of(world: World, params: Json) -> Json:
    if params.get("charge"):
        return world.store.get("charge", params["charge"])
    if not params.get("payment_intent"):
        raise StripeError("One of charge and payment_intent is required.", code="parameter_missing")
    intent = world.store.get("payment_intent", params["payment_intent"])
    if intent["status"] != "succeeded":
        raise StripeError(f"The PaymentIntent has a status of {intent['status']}: no successful charge to refund.")
    return world.store.get("charge", intent["latest_charge"])


def _move(world: World, kind: str, amount: int, paid: Json, dispute: Json) -> None:
    """Move a dispute's money and say so on it, as a line of the account's balance."""
    _note(world, kind, amount, paid, dispute)
    fee = DISPUTE_FEE_CENTS if amount < 0 else 0
    line = {"id": world.new_id("txn"), "object": "balance_transaction", "created": world.now(), "type": "adjustment"}
    category = "dispute" if amount < 0 else "dispute_reversal"
    money = {"amount": amount, "currency": paid["currency"], "fee": fee, "net": amount - fee}
    dispute["balance_transactions"].append(
        {**line, **money, "reporting_category": category, "source": dispute["id"], "status": "available"}
    )


def _set_refunded(world: World, paid: Json, amount: int) -> None:
    paid["amount_refunded"] = amount
    paid["refunded"] = amount == paid["amount_captured"]
    world.store.save(paid)


def _note(world: World, kind: str, amount: int, paid: Json, reference: Json) -> None:
    world.note_money(
        kind, amount, currency=paid["currency"], payment_intent=paid["payment_intent"], reference=reference["id"]
    )
