"""Products, prices, subscriptions and the customer's portal, in simple form."""

from devstack.standins.stripe import invoices
from devstack.standins.stripe.customers import merged_metadata
from devstack.standins.stripe.errors import Json, StripeError, is_true, positive_amount, required
from devstack.standins.stripe.lists import list_objects
from devstack.standins.stripe.world import World

PERIODS_S = {"day": 86_400, "week": 7 * 86_400, "month": 30 * 86_400, "year": 365 * 86_400}


def create_product(world: World, params: Json) -> Json:
    """Make a product."""
    metadata = dict(params.get("metadata") or {})
    return world.make("product", "prod", name=required(params, "name"), active=True, metadata=metadata)


def create_price(world: World, params: Json) -> Json:
    """Make a price of a product, which may be described in place."""
    product = params.get("product") or create_product(world, params.get("product_data") or {})["id"]
    recurring = params.get("recurring")
    return world.make(
        "price",
        "price",
        active=True,
        currency=str(required(params, "currency")).lower(),
        unit_amount=positive_amount(params, "unit_amount"),
        product=product,
        recurring=recurring,
        type="recurring" if recurring else "one_time",
        lookup_key=params.get("lookup_key"),
        metadata=dict(params.get("metadata") or {}),
    )


def get_product(world: World, _params: Json, object_id: str) -> Json:
    """Return a product."""
    return world.store.get("product", object_id)


def get_price(world: World, _params: Json, object_id: str) -> Json:
    """Return a price."""
    return world.store.get("price", object_id)


def list_prices(world: World, params: Json) -> Json:
    """List prices, newest first."""
    wanted = params.get("lookup_keys")
    is_active = is_true(params["active"]) if "active" in params else None
    return list_objects(
        world,
        "price",
        params,
        url="/v1/prices",
        filters=("product", "type", "currency"),
        keeps=lambda price: (
            (not isinstance(wanted, list) or price["lookup_key"] in wanted) and is_active in (None, price["active"])
        ),
    )


def start_subscription(
    world: World, customer: str, items: list[Json], card: Json, *, data: Json, is_authenticated: bool = False
) -> tuple[Json, Json]:
    """Start a subscription that is paid with `card` now; return it with its first invoice. A decline raises."""
    now = world.now()
    interval = (items[0]["price"]["recurring"] or {}).get("interval", "month")
    subscription = world.make(
        "subscription",
        "sub",
        customer=customer,
        status="incomplete",
        currency=items[0]["currency"],
        default_payment_method=card["id"],
        metadata=dict(data.get("metadata") or {}),
        cancel_at_period_end=False,
        cancel_at=None,
        canceled_at=None,
        ended_at=None,
        latest_invoice=None,
        start_date=now,
        _interval_s=PERIODS_S[interval],
    )
    subscription["items"] = {
        "object": "list",
        "data": [_item(world, subscription, item["price"], item["quantity"]) for item in items],
        "has_more": False,
        "url": f"/v1/subscription_items?subscription={subscription['id']}",
    }
    card["customer"] = customer
    world.store.save(card)
    _set_period(subscription, now)
    invoice = invoices.bill(
        world, subscription, card, reason="subscription_create", raises=True, is_authenticated=is_authenticated
    )
    subscription["status"] = "active"
    world.store.save(subscription)
    world.emit("customer.subscription.created", subscription)
    return subscription, invoice


def get_subscription(world: World, _params: Json, object_id: str) -> Json:
    """Return a subscription."""
    return world.store.get("subscription", object_id)


def list_subscriptions(world: World, params: Json) -> Json:
    """List subscriptions that have not ended, newest first; `status=all` lists all."""
    status = params.get("status")
    filters = ("customer", "status") if status not in (None, "all") else ("customer",)
    return list_objects(
        world,
        "subscription",
        params,
        url="/v1/subscriptions",
        filters=filters,
        keeps=lambda value: status is not None or value["status"] != "canceled",
    )


def update_subscription(world: World, params: Json, object_id: str) -> Json:
    """Change price, metadata or whether it ends with the period."""
    subscription = _living(world, object_id)
    if "cancel_at_period_end" in params:
        ends = is_true(params["cancel_at_period_end"])
        subscription["cancel_at_period_end"] = ends
        subscription["cancel_at"] = subscription["items"]["data"][0]["current_period_end"] if ends else None
        subscription["canceled_at"] = world.now() if ends else None
    if params.get("default_payment_method"):
        subscription["default_payment_method"] = params["default_payment_method"]
    for change in params.get("items") or []:
        _change_item(world, subscription, change)
    subscription["metadata"] = merged_metadata(subscription, params)
    world.store.save(subscription)
    world.emit("customer.subscription.updated", subscription)
    return subscription


def cancel_subscription(world: World, _params: Json, object_id: str) -> Json:
    """End a subscription at once."""
    subscription = _living(world, object_id)
    subscription.update(status="canceled", canceled_at=world.now(), ended_at=world.now())
    world.store.save(subscription)
    world.emit("customer.subscription.deleted", subscription)
    return subscription


def renew_subscription(world: World, object_id: str) -> Json:
    """Let a period end: the next one is billed, or the subscription ends when it was to."""
    subscription = _living(world, object_id)
    if subscription["cancel_at_period_end"]:
        return cancel_subscription(world, {}, object_id)
    card = world.store.get("payment_method", subscription["default_payment_method"])
    _set_period(subscription, subscription["items"]["data"][0]["current_period_end"])
    invoice = invoices.bill(world, subscription, card, reason="subscription_cycle", raises=False)
    subscription["status"] = "active" if invoice["status"] == "paid" else "past_due"
    world.store.save(subscription)
    world.emit("customer.subscription.updated", subscription)
    return subscription


def create_portal_session(world: World, params: Json) -> Json:
    """Make the address of a page where the customer cancels a subscription or removes a card."""
    customer = world.store.get("customer", required(params, "customer"))
    session = world.make(
        "billing_portal.session",
        "bps",
        customer=customer["id"],
        return_url=params.get("return_url"),
        configuration=None,
    )
    session["url"] = f"{world.base_url}/portal/{session['id']}"
    return world.store.save(session)


def _living(world: World, object_id: str) -> Json:
    subscription = world.store.get("subscription", object_id)
    if subscription["status"] == "canceled":
        raise StripeError("The subscription has ended.", code="resource_missing", status=404)
    return subscription


def _item(world: World, subscription: Json, price: Json, quantity: int) -> Json:
    return {
        "id": world.new_id("si"),
        "object": "subscription_item",
        "price": price,
        "quantity": quantity,
        "subscription": subscription["id"],
    }


def _change_item(world: World, subscription: Json, change: Json) -> None:
    for item in subscription["items"]["data"]:
        if change.get("id") in (None, item["id"]):
            if change.get("price"):
                item["price"] = world.store.get("price", change["price"])
            if change.get("quantity"):
                item["quantity"] = int(change["quantity"])


def _set_period(subscription: Json, start: int) -> None:
    for item in subscription["items"]["data"]:
        item.update(current_period_start=start, current_period_end=start + subscription["_interval_s"])
