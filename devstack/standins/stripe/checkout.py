"""Checkout sessions: a page where somebody pays, or does not."""

from devstack.standins.stripe import customers, payments, subscriptions
from devstack.standins.stripe.errors import Json, StripeError, required
from devstack.standins.stripe.lists import list_objects, page
from devstack.standins.stripe.world import World

LIFETIME_S = 24 * 3600
MODES = ("payment", "subscription", "setup")


def create_session(world: World, params: Json) -> Json:
    """Make a session that can be paid on its page until it expires."""
    mode = required(params, "mode")
    if mode not in MODES:
        raise StripeError(f"Invalid mode: must be one of {', '.join(MODES)}", param="mode")
    items = [_line_item(world, item) for item in params.get("line_items") or []]
    if mode != "setup" and not items:
        raise StripeError("line_items is required in this mode.", code="parameter_missing", param="line_items")
    total = sum(item["amount_total"] for item in items)
    session = world.make(
        "checkout.session",
        "cs_test",
        mode=mode,
        status="open",
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        amount_subtotal=total,
        amount_total=total,
        currency=items[0]["currency"] if items else str(params.get("currency", "usd")),
        customer=params.get("customer"),
        customer_email=params.get("customer_email"),
        customer_details=None,
        client_reference_id=params.get("client_reference_id"),
        metadata=dict(params.get("metadata") or {}),
        success_url=params.get("success_url"),
        cancel_url=params.get("cancel_url"),
        payment_intent=None,
        setup_intent=None,
        subscription=None,
        ui_mode="hosted",
        payment_method_types=["card"],
        saved_payment_method_options=params.get("saved_payment_method_options"),
        invoice=None,
        expires_at=int(params.get("expires_at") or world.now() + LIFETIME_S),
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        automatic_tax=params.get("automatic_tax") or {"enabled": False, "status": None},
        _items=items,
        _intent_data=params.get("payment_intent_data") or {},
        _subscription_data=params.get("subscription_data") or {},
        _setup_data=params.get("setup_intent_data") or {},
    )
    session["url"] = f"{world.base_url}/pay/{session['id']}"
    return world.store.save(session)


def get_session(world: World, _params: Json, object_id: str) -> Json:
    """Return a session; one whose time is over has expired by now."""
    session = world.store.get("checkout.session", object_id)
    if session["status"] == "open" and session["expires_at"] <= world.now():
        return _expire(world, session)
    return session


def list_sessions(world: World, params: Json) -> Json:
    """List sessions, newest first."""
    filters = ("customer", "payment_intent", "status", "subscription")
    return list_objects(world, "checkout.session", params, url="/v1/checkout/sessions", filters=filters)


def list_line_items(world: World, params: Json, object_id: str) -> Json:
    """List what is bought in a session."""
    items = world.store.get("checkout.session", object_id)["_items"]
    return page(items, params, url=f"/v1/checkout/sessions/{object_id}/line_items")


def expire_session(world: World, params: Json, object_id: str) -> Json:
    """Close an open session: nobody can pay it any more."""
    session = get_session(world, params, object_id)
    if session["status"] != "open":
        raise StripeError(f"Only open sessions can be expired; this one has a status of {session['status']}.")
    return _expire(world, session)


def get_setup_intent(world: World, _params: Json, object_id: str) -> Json:
    """Return a setup intent: a card that was kept without a payment."""
    return world.store.get("setup_intent", object_id)


def pay_session(
    world: World,
    object_id: str,
    *,
    card_name: str = customers.DEFAULT_CARD,
    email: str = "",
    saves_card: bool = False,
) -> Json:
    """Do what a person does on the page. A declined card leaves the session open; raises StripeError (402).

    A card whose bank asks leaves the session open as well, until `answer_authentication`.
    """
    session = _open_session(world, object_id)
    _ensure_customer(world, session, email)
    card = customers.find_card(world, card_name, customer=session["customer"])
    if saves_card:
        session["_intent_data"]["setup_future_usage"] = "off_session"
    session.pop("_asks_with", None)
    return _pay_with(world, session, card, is_authenticated=False)


def answer_authentication(world: World, object_id: str, *, succeeds: bool) -> Json:
    """Tell what the customer answered to the bank; a no leaves the session open and raises StripeError (402)."""
    session = _open_session(world, object_id)
    card_id = session.pop("_asks_with", None)
    if card_id is None:
        raise StripeError("The bank asks nothing about this session.")
    if succeeds:
        return _pay_with(world, session, world.store.get("payment_method", card_id), is_authenticated=True)
    world.store.save(session)
    if session["payment_intent"]:
        payments.fail_authentication(world, world.store.get("payment_intent", session["payment_intent"]))
    raise StripeError(payments.NOT_AUTHENTICATED, status=402, kind="card_error", code="authentication_required")


def find_open_session(world: World, payment_intent_id: str) -> Json | None:
    """Return the open session whose payment this is, None without one."""
    sessions = world.store.list_kind("checkout.session")
    return next(
        (one for one in sessions if (one["payment_intent"], one["status"]) == (payment_intent_id, "open")), None
    )


def settle_session(world: World, object_id: str, *, succeeds: bool) -> Json:
    """End the payment of a completed session that the bank was still working on."""
    session = world.store.get("checkout.session", object_id)
    if session["status"] != "complete" or session["payment_status"] != "unpaid":
        raise StripeError("The session waits for no payment.")
    payments.settle_payment_intent(world, session["payment_intent"], succeeds=succeeds)
    session["payment_status"] = "paid" if succeeds else "unpaid"
    world.store.save(session)
    outcome = "succeeded" if succeeds else "failed"
    world.emit(f"checkout.session.async_payment_{outcome}", session)
    return session


def _open_session(world: World, object_id: str) -> Json:
    session = get_session(world, {}, object_id)
    if session["status"] != "open":
        raise StripeError(f"This Checkout Session has a status of {session['status']}.")
    return session


def _pay_with(world: World, session: Json, card: Json, *, is_authenticated: bool) -> Json:
    if session["mode"] == "payment":
        return _take_payment(world, session, card, is_authenticated=is_authenticated)
    if card["_behaviour"] == "authentication" and not is_authenticated:
        return _ask(world, session, card)
    if session["mode"] == "setup":
        return _keep_card(world, session, card)
    subscription, invoice = subscriptions.start_subscription(
        *(world, session["customer"], session["_items"], card),
        data=session["_subscription_data"],
        is_authenticated=is_authenticated,
    )
    session.update(subscription=subscription["id"], invoice=invoice["id"], payment_status="paid")
    return _complete(world, session)


def _take_payment(world: World, session: Json, card: Json, *, is_authenticated: bool) -> Json:
    if session["payment_intent"]:
        # One payment a session: a second card is tried on the same one.
        intent = world.store.get("payment_intent", session["payment_intent"])
    else:
        paid = {"amount": session["amount_total"], "currency": session["currency"], "customer": session["customer"]}
        intent = payments.create_payment_intent(world, {**session["_intent_data"], **paid})
        session["payment_intent"] = intent["id"]
        world.store.save(session)
    intent["setup_future_usage"] = session["_intent_data"].get("setup_future_usage")
    if is_authenticated:
        intent = payments.succeed(world, intent, card)
    else:
        intent = payments.charge(world, intent, card, is_off_session=False)
    if intent["status"] == "requires_action":
        return _ask(world, session, card)
    session["payment_status"] = "paid" if intent["status"] == "succeeded" else "unpaid"
    return _complete(world, session)


def _ask(world: World, session: Json, card: Json) -> Json:
    session["_asks_with"] = card["id"]
    return world.store.save(session)


def _keep_card(world: World, session: Json, card: Json) -> Json:
    data = session["_setup_data"]
    made = world.make(
        "setup_intent",
        "seti",
        status="succeeded",
        usage="off_session",
        customer=session["customer"],
        payment_method=card["id"],
        payment_method_types=["card"],
        description=data.get("description"),
        metadata=dict(data.get("metadata") or {}),
        last_setup_error=None,
        next_action=None,
    )
    if card["customer"] is None:
        customers.attach(world, {"customer": session["customer"]}, card["id"])
    session["setup_intent"] = made["id"]
    world.emit("setup_intent.succeeded", made)
    return _complete(world, session)


def _complete(world: World, session: Json) -> Json:
    session["status"] = "complete"
    session["url"] = None
    world.store.save(session)
    world.emit("checkout.session.completed", session)
    return session


def _expire(world: World, session: Json) -> Json:
    session["status"] = "expired"
    session["url"] = None
    world.store.save(session)
    intent = world.store.find(session["payment_intent"]) if session["payment_intent"] else None
    if intent is not None and intent["status"] in payments.CONFIRMABLE:
        payments.cancel_payment_intent(world, {"cancellation_reason": "abandoned"}, intent["id"])
    world.emit("checkout.session.expired", session)
    return session


def _ensure_customer(world: World, session: Json, email: str) -> None:
    address = email or session["customer_email"] or "payer@example.com"
    if session["customer"] is None and (
        session["mode"] != "payment" or session["_intent_data"].get("setup_future_usage")
    ):
        session["customer"] = customers.create_customer(world, {"email": address})["id"]
    session["customer_details"] = {"email": address, "name": None, "address": None, "tax_ids": []}


def _line_item(world: World, item: Json) -> Json:
    quantity = int(item.get("quantity") or 1)
    data = item.get("price_data")
    price = subscriptions.create_price(world, data) if data else world.store.get("price", str(required(item, "price")))
    product = world.store.get("product", price["product"])
    return {
        "id": world.new_id("li"),
        "object": "item",
        "price": price,
        "quantity": quantity,
        "currency": price["currency"],
        "description": product["name"],
        "amount_subtotal": price["unit_amount"] * quantity,
        "amount_total": price["unit_amount"] * quantity,
    }
