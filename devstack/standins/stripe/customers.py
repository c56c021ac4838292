"""Customers and their cards."""

from hashlib import sha256

from devstack.standins.stripe.errors import Json, StripeError, missing, required
from devstack.standins.stripe.lists import list_objects, page
from devstack.standins.stripe.world import World

EDITABLE = ("email", "name", "phone", "description", "address")
# Stripe's test cards by name: last four digits, brand, and how they behave when they are charged (`later`: not while
# the customer is there, but declined off session).
CARDS = {
    "pm_card_visa": ("4242", "visa", "ok", ""),
    "pm_card_mastercard": ("4444", "mastercard", "ok", ""),
    "pm_card_chargeDeclined": ("0002", "visa", "declined", "generic_decline"),
    "pm_card_visa_chargeDeclined": ("0002", "visa", "declined", "generic_decline"),
    "pm_card_chargeDeclinedInsufficientFunds": ("9995", "visa", "declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("9995", "visa", "declined", "insufficient_funds"),
    "pm_card_chargeDeclinedExpiredCard": ("0069", "visa", "declined", "expired_card"),
    "pm_card_visa_chargeDeclinedExpiredCard": ("0069", "visa", "declined", "expired_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("9979", "visa", "declined", "stolen_card"),
    "pm_card_chargeCustomerFail": ("0341", "visa", "later", "generic_decline"),
    "pm_card_amex": ("0005", "amex", "ok", ""),
    "pm_card_live": ("1111", "visa", "declined", "test_mode_live_card"),
    "pm_card_authenticationRequired": ("3184", "visa", "authentication", ""),
    "pm_card_threeDSecure2Required": ("3220", "visa", "authentication", ""),
    "pm_card_processing": ("7726", "visa", "processing", ""),
}
DEFAULT_CARD = "pm_card_visa"


def create_customer(world: World, params: Json) -> Json:
    """Make a customer, with a default card when one is given."""
    values = {name: params.get(name) for name in EDITABLE}
    customer = world.make(
        "customer",
        "cus",
        **values,
        metadata=dict(params.get("metadata") or {}),
        balance=0,
        currency=None,
        delinquent=False,
        invoice_settings={"default_payment_method": None},
    )
    if params.get("payment_method"):
        card = attach(world, {"customer": customer["id"]}, params["payment_method"])
        customer["invoice_settings"]["default_payment_method"] = card["id"]
        world.store.save(customer)
    world.emit("customer.created", customer)
    return customer


def update_customer(world: World, params: Json, object_id: str) -> Json:
    """Change a customer's fields; metadata is merged, an empty value removes a key."""
    customer = get_customer(world, params, object_id)
    customer.update({name: params[name] for name in EDITABLE if name in params})
    customer["metadata"] = merged_metadata(customer, params)
    settings = params.get("invoice_settings") or {}
    if "default_payment_method" in settings:
        customer["invoice_settings"]["default_payment_method"] = settings["default_payment_method"] or None
    world.store.save(customer)
    world.emit("customer.updated", customer)
    return customer


def get_customer(world: World, _params: Json, object_id: str) -> Json:
    """Return a customer; a deleted one is gone."""
    customer = world.store.get("customer", object_id)
    if customer.get("deleted"):
        raise missing("customer", object_id)
    return customer


def delete_customer(world: World, params: Json, object_id: str) -> Json:
    """Delete a customer."""
    customer = get_customer(world, params, object_id)
    world.store.save({**customer, "deleted": True})
    world.emit("customer.deleted", customer)
    return {"id": object_id, "object": "customer", "deleted": True}


def list_customers(world: World, params: Json) -> Json:
    """List customers, filtered by e-mail."""
    return list_objects(world, "customer", params, url="/v1/customers", filters=("email",))


def create_payment_method(world: World, params: Json) -> Json:
    """Make a card. Which one is told by `card[token]` (`tok_visa`, `tok_chargeDeclined`) or by its number's end."""
    if required(params, "type") != "card":
        raise StripeError("The stand-in knows cards only.", param="type")
    card = params.get("card") or {}
    token = str(card.get("token", "")).replace("tok_", "pm_card_", 1)
    by_number = {spec[0]: name for name, spec in reversed(CARDS.items())}
    name = token if token in CARDS else by_number.get(str(card.get("number", ""))[-4:], DEFAULT_CARD)
    return make_card(world, name, metadata=dict(params.get("metadata") or {}))


def make_card(
    world: World,
    name: str,
    *,
    customer: str | None = None,
    metadata: Json | None = None,
    printed: Json | None = None,
) -> Json:
    """Make a card that behaves like Stripe's test card of that name; the same card has the same fingerprint.

    `printed` is what a person has read from the card: `last4`, `exp_month`, `exp_year`.
    """
    last4, brand, behaviour, decline_code = CARDS[name]
    card = {"brand": brand, "last4": last4, "exp_month": 12, "exp_year": 2034, **(printed or {})}
    card["fingerprint"] = sha256(f"{brand}{card['last4']}".encode()).hexdigest()[:16]
    return world.make(
        "payment_method",
        "pm",
        type="card",
        customer=customer,
        card={**card, "country": "US", "funding": "credit", "checks": None},
        billing_details={"address": None, "email": None, "name": None, "phone": None},
        metadata=metadata or {},
        _behaviour=behaviour,
        _decline_code=decline_code,
    )


def find_card(world: World, name: str, *, customer: str | None) -> Json:
    """Return a saved card by id, or make the test card of that name; raises StripeError for neither."""
    if name in CARDS:
        return make_card(world, name, customer=customer)
    card = world.store.get("payment_method", name)
    if card["customer"] not in (None, customer):
        raise StripeError("The payment method belongs to another customer.", param="payment_method")
    return card


def attach(world: World, params: Json, object_id: str) -> Json:
    """Give a card to a customer."""
    owner = get_customer(world, {}, required(params, "customer"))["id"]
    card = find_card(world, object_id, customer=owner)
    card["customer"] = owner
    world.store.save(card)
    world.emit("payment_method.attached", card)
    return card


def detach(world: World, _params: Json, object_id: str) -> Json:
    """Take a card from its customer; it can never be charged again."""
    card = world.store.get("payment_method", object_id)
    if card["customer"] is None:
        raise StripeError("The payment method is not attached to a customer.")
    owner = world.store.get("customer", card["customer"])
    if owner["invoice_settings"]["default_payment_method"] == card["id"]:
        owner["invoice_settings"]["default_payment_method"] = None
        world.store.save(owner)
    card["customer"] = None
    card["_is_detached"] = True
    world.store.save(card)
    world.emit("payment_method.detached", card)
    return card


def get_payment_method(world: World, _params: Json, object_id: str) -> Json:
    """Return a card."""
    return world.store.get("payment_method", object_id)


def list_payment_methods(world: World, params: Json) -> Json:
    """List cards, as a rule of one customer."""
    return list_objects(world, "payment_method", params, url="/v1/payment_methods", filters=("customer", "type"))


def list_customer_cards(world: World, params: Json, object_id: str) -> Json:
    """List one customer's cards."""
    found = [card for card in world.store.list_kind("payment_method") if card["customer"] == object_id]
    return page(found, params, url=f"/v1/customers/{object_id}/payment_methods")


def merged_metadata(value: Json, params: Json) -> Json:
    """Return an object's metadata with a request's changes: an empty value removes its key."""
    merged = {**(value.get("metadata") or {}), **(params.get("metadata") or {})}
    return {name: text for name, text in merged.items() if text != ""}
