"""Payment intents and charges: money that comes in, or does not."""

from devstack.standins.stripe.customers import find_card, merged_metadata
from devstack.standins.stripe.errors import Json, StripeError, is_true, positive_amount, required
from devstack.standins.stripe.knobs import PAYMENT_KINDS
from devstack.standins.stripe.lists import list_objects, search_objects
from devstack.standins.stripe.world import World, public

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = (*CONFIRMABLE, "processing")
EDITABLE = ("description", "receipt_email", "setup_future_usage", "statement_descriptor")
NOT_AUTHENTICATED = "We are unable to authenticate your payment method. Please choose another one and try again."
MIN_CENTS = 50
MAX_CENTS = 99_999_999
DECLINE_MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "test_mode_live_card": "Your card was declined. This is a test, but the card is not a test card.",
    "expired_card": "Your card has expired.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
}


def create_payment_intent(world: World, params: Json) -> Json:
    """Make a payment intent and, with `confirm`, try to take the money at once."""
    amount = positive_amount(params)
    if not MIN_CENTS <= amount <= MAX_CENTS:
        code = "amount_too_small" if amount < MIN_CENTS else "amount_too_large"
        raise StripeError(f"Amount must be from {MIN_CENTS} to {MAX_CENTS} cents.", code=code, param="amount")
    confirms = is_true(params.get("confirm"))
    if is_true(params.get("off_session")) and not confirms:
        raise StripeError("off_session needs confirm=true.", param="off_session")
    intent = world.make(
        "payment_intent",
        "pi",
        amount=amount,
        amount_received=0,
        amount_capturable=0,
        currency=str(required(params, "currency")).lower(),
        customer=params.get("customer"),
        payment_method=params.get("payment_method"),
        payment_method_types=["card"],
        metadata=dict(params.get("metadata") or {}),
        status="requires_confirmation" if params.get("payment_method") else "requires_payment_method",
        latest_charge=None,
        last_payment_error=None,
        next_action=None,
        canceled_at=None,
        cancellation_reason=None,
        capture_method="automatic",
        confirmation_method="automatic",
        **{name: params.get(name) for name in EDITABLE},
    )
    intent["client_secret"] = f"{intent['id']}_secret_{world.new_id('s')}"
    world.store.save(intent)
    world.emit("payment_intent.created", intent)
    return confirm_payment_intent(world, params, intent["id"]) if confirms else intent


def get_payment_intent(world: World, _params: Json, object_id: str) -> Json:
    """Return a payment intent."""
    return world.store.get("payment_intent", object_id)


def update_payment_intent(world: World, params: Json, object_id: str) -> Json:
    """Change what may still change: metadata and descriptions."""
    intent = get_payment_intent(world, params, object_id)
    intent.update({name: params[name] for name in EDITABLE if name in params})
    intent["metadata"] = merged_metadata(intent, params)
    return world.store.save(intent)


def list_payment_intents(world: World, params: Json) -> Json:
    """List payment intents, newest first."""
    return list_objects(world, "payment_intent", params, url="/v1/payment_intents", filters=("customer",))


def search_payment_intents(world: World, params: Json) -> Json:
    """Search payment intents by metadata, customer and status."""
    return search_objects(world, "payment_intent", params, url="/v1/payment_intents/search")


def confirm_payment_intent(world: World, params: Json, object_id: str) -> Json:
    """Try to take the money; raises StripeError (402) when the card is declined."""
    intent = get_payment_intent(world, params, object_id)
    if intent["status"] not in CONFIRMABLE:
        raise _unexpected_state(intent, "confirmed")
    name = params.get("payment_method") or intent["payment_method"]
    if not name:
        raise StripeError("You cannot confirm this PaymentIntent because it's missing a payment method.")
    card = find_card(world, name, customer=intent["customer"])
    if card.get("_is_detached"):
        raise StripeError("The payment method was detached and cannot be used again.", param="payment_method")
    intent["payment_method"] = card["id"]
    return charge(world, intent, card, is_off_session=is_true(params.get("off_session")))


def charge(
    world: World,
    intent: Json,
    card: Json,
    *,
    is_off_session: bool,
    is_authenticated: bool = False,
    raises: bool = True,
) -> Json:
    """Charge a card as it behaves, or as a knob says; a decline raises, unless it is only to be recorded."""
    behaviour, decline_code = _behaviour_now(world, card, is_off_session=is_off_session)
    intent["payment_method"] = card["id"]
    if behaviour == "declined":
        return _decline(world, intent, card, decline_code, raises=raises)
    if behaviour == "requires_action" and not is_authenticated:
        intent["status"] = "requires_action"
        redirect = {"url": f"{world.base_url}/authenticate/{intent['id']}", "return_url": None}
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
        world.store.save(intent)
        world.emit("payment_intent.requires_action", intent)
        return intent
    if behaviour == "processing":
        intent["status"] = "processing"
        world.store.save(intent)
        world.emit("payment_intent.processing", intent)
        return intent
    return succeed(world, intent, card)


def succeed(world: World, intent: Json, card: Json) -> Json:
    """Take the money: the charge, the journal, the events."""
    made = _make_charge(world, intent, card, status="succeeded")
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=made["id"],
        payment_method=card["id"],
        next_action=None,
        last_payment_error=None,
    )
    world.store.save(intent)
    world.note_money(
        "payment", intent["amount"], currency=intent["currency"], payment_intent=intent["id"], reference=made["id"]
    )
    if intent.get("setup_future_usage") and intent["customer"] and card["customer"] is None:
        card["customer"] = intent["customer"]
        world.store.save(card)
        world.emit("payment_method.attached", card)
    world.emit("charge.succeeded", made)
    world.emit("payment_intent.succeeded", intent)
    return intent


def cancel_payment_intent(world: World, params: Json, object_id: str) -> Json:
    """Cancel an intent that has not taken money."""
    intent = get_payment_intent(world, params, object_id)
    if intent["status"] not in CANCELABLE:
        raise _unexpected_state(intent, "canceled")
    reason = params.get("cancellation_reason") or "requested_by_customer"
    intent.update(status="canceled", canceled_at=world.now(), cancellation_reason=reason, next_action=None)
    world.store.save(intent)
    world.emit("payment_intent.canceled", intent)
    return intent


def fail_authentication(world: World, intent: Json) -> Json:
    """Record that the customer did not say yes to the bank; another card may be tried."""
    card = world.store.get("payment_method", intent["payment_method"])
    error = {"type": "invalid_request_error", "code": "payment_intent_authentication_failure"}
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error={**error, "message": NOT_AUTHENTICATED, "payment_method": public(card)},
    )
    world.store.save(intent)
    world.emit("payment_intent.payment_failed", intent)
    return intent


def settle_payment_intent(world: World, object_id: str, *, succeeds: bool) -> Json:
    """End a payment that waits (for the bank, or for the customer) one way or the other."""
    intent = world.store.get("payment_intent", object_id)
    if intent["status"] not in {"processing", "requires_action"}:
        raise _unexpected_state(intent, "settled")
    card = world.store.get("payment_method", intent["payment_method"])
    if succeeds:
        return succeed(world, intent, card)
    if intent["status"] == "requires_action":
        return fail_authentication(world, intent)
    return _decline(world, intent, card, "generic_decline", raises=False)


def get_charge(world: World, _params: Json, object_id: str) -> Json:
    """Return a charge."""
    return world.store.get("charge", object_id)


def list_charges(world: World, params: Json) -> Json:
    """List charges, newest first."""
    return list_objects(world, "charge", params, url="/v1/charges", filters=("customer", "payment_intent"))


def get_balance(world: World, _params: Json) -> Json:
    """Return the balance: what the journal of money adds up to."""
    rows = world.store.all("SELECT currency, SUM(amount) AS amount FROM money GROUP BY currency")
    available = [{"amount": row["amount"], "currency": row["currency"]} for row in rows]
    return {"object": "balance", "livemode": False, "available": available, "pending": []}


def _behaviour_now(world: World, card: Json, *, is_off_session: bool) -> tuple[str, str]:
    knob = world.knobs.take(PAYMENT_KINDS, "")
    behaviour, decline_code = (knob.kind, knob.decline_code) if knob else (card["_behaviour"], card["_decline_code"])
    if behaviour == "authentication":
        return ("declined", "authentication_required") if is_off_session else ("requires_action", "")
    if behaviour == "later":
        return ("declined", decline_code) if is_off_session else ("ok", "")
    return behaviour, decline_code


def _decline(world: World, intent: Json, card: Json, decline_code: str, *, raises: bool) -> Json:
    made = _make_charge(world, intent, card, status="failed", failure_code=decline_code)
    code = decline_code if decline_code in {"expired_card", "authentication_required"} else "card_declined"
    message = DECLINE_MESSAGES.get(decline_code, "Your card was declined.")
    error = {"type": "card_error", "code": code, "decline_code": decline_code, "message": message, "charge": made["id"]}
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        latest_charge=made["id"],
        next_action=None,
        last_payment_error={**error, "payment_method": public(card)},
    )
    world.store.save(intent)
    world.emit("charge.failed", made)
    world.emit("payment_intent.payment_failed", intent)
    if not raises:
        return intent
    raise StripeError(
        message,
        status=402,
        kind="card_error",
        code=code,
        decline_code=decline_code,
        charge=made["id"],
        payment_intent=public(intent),
    )


def _make_charge(world: World, intent: Json, card: Json, *, status: str, failure_code: str | None = None) -> Json:
    is_paid = status == "succeeded"
    made = world.make(
        "charge",
        "ch",
        amount=intent["amount"],
        amount_captured=intent["amount"] if is_paid else 0,
        amount_refunded=0,
        currency=intent["currency"],
        customer=intent["customer"],
        payment_intent=intent["id"],
        payment_method=card["id"],
        payment_method_details={"type": "card", "card": card["card"]},
        metadata=dict(intent["metadata"]),
        status=status,
        paid=is_paid,
        captured=is_paid,
        refunded=False,
        disputed=False,
        failure_code=failure_code,
    )
    made["receipt_url"] = f"{world.base_url}/receipts/{made['id']}"
    return world.store.save(made)


def _unexpected_state(intent: Json, verb: str) -> StripeError:
    message = f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}."
    return StripeError(message, code="payment_intent_unexpected_state", payment_intent=public(intent))
