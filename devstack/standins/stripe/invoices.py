"""Invoices of subscriptions, as newer versions of the API shape them: what pays one is beside it, not in it."""

from devstack.standins.stripe import payments
from devstack.standins.stripe.errors import Json
from devstack.standins.stripe.lists import list_objects
from devstack.standins.stripe.world import World

DESCRIPTIONS = {"subscription_create": "Subscription creation", "subscription_cycle": "Subscription update"}


def get_invoice(world: World, _params: Json, object_id: str) -> Json:
    """Return an invoice."""
    return world.store.get("invoice", object_id)


def list_invoices(world: World, params: Json) -> Json:
    """List invoices, newest first."""
    wanted = params.get("subscription")
    return list_objects(
        world,
        "invoice",
        params,
        url="/v1/invoices",
        filters=("customer", "status"),
        keeps=lambda invoice: wanted in (None, subscription_of(invoice)),
    )


def list_invoice_payments(world: World, params: Json) -> Json:
    """List what pays invoices: by invoice, or by `payment[payment_intent]`."""
    payment = params.get("payment") or {}
    wanted = payment.get("payment_intent")
    return list_objects(
        world,
        "invoice_payment",
        params,
        url="/v1/invoice_payments",
        filters=("invoice", "status"),
        keeps=lambda one: wanted in (None, one["payment"]["payment_intent"]),
    )


def subscription_of(invoice: Json) -> str:
    """Return the id of the subscription that an invoice belongs to."""
    return str(invoice["parent"]["subscription_details"]["subscription"])


def bill(
    world: World, subscription: Json, card: Json, *, reason: str, raises: bool, is_authenticated: bool = False
) -> Json:
    """Bill the period that a subscription is in and charge the card; a decline raises, or leaves the invoice open."""
    items = subscription["items"]["data"]
    total = sum(item["price"]["unit_amount"] * item["quantity"] for item in items)
    described = {
        "amount": total,
        "currency": subscription["currency"],
        "customer": subscription["customer"],
        "payment_method": card["id"],
        "description": DESCRIPTIONS[reason],
    }
    intent = payments.create_payment_intent(world, described)
    intent = payments.charge(
        *(world, intent, card), is_off_session=not raises, is_authenticated=is_authenticated, raises=raises
    )
    invoice = _make_invoice(world, subscription, total=total, reason=reason, is_paid=intent["status"] == "succeeded")
    _note_payment(world, invoice, intent)
    subscription["latest_invoice"] = invoice["id"]
    world.emit("invoice.paid" if invoice["status"] == "paid" else "invoice.payment_failed", invoice)
    return invoice


def _make_invoice(world: World, subscription: Json, *, total: int, reason: str, is_paid: bool) -> Json:
    item = subscription["items"]["data"][0]
    paid_at = world.now() if is_paid else None
    invoice = world.make(
        "invoice",
        "in",
        customer=subscription["customer"],
        parent={
            "type": "subscription_details",
            "subscription_details": {"subscription": subscription["id"], "metadata": subscription["metadata"]},
        },
        billing_reason=reason,
        currency=subscription["currency"],
        status="paid" if is_paid else "open",
        subtotal=total,
        total=total,
        amount_due=total,
        amount_paid=total if is_paid else 0,
        amount_remaining=0 if is_paid else total,
        attempted=True,
        attempt_count=1,
        number=f"STANDIN-{len(world.store.list_kind('invoice')) + 1:04}",
        period_start=item["current_period_start"],
        period_end=item["current_period_end"],
        status_transitions={"finalized_at": world.now(), "paid_at": paid_at, "voided_at": None},
        metadata={},
    )
    invoice["lines"] = {
        "object": "list",
        "data": [_line(world, invoice, one) for one in subscription["items"]["data"]],
        "has_more": False,
        "url": f"/v1/invoices/{invoice['id']}/lines",
    }
    invoice["hosted_invoice_url"] = f"{world.base_url}/invoices/{invoice['id']}"
    invoice["invoice_pdf"] = None
    return world.store.save(invoice)


def _line(world: World, invoice: Json, item: Json) -> Json:
    product = world.store.get("product", item["price"]["product"])
    return {
        "id": world.new_id("il"),
        "object": "line_item",
        "invoice": invoice["id"],
        "amount": item["price"]["unit_amount"] * item["quantity"],
        "currency": item["price"]["currency"],
        "description": f"{item['quantity']} \u00d7 {product['name']}",
        "quantity": item["quantity"],
        "period": {"start": item["current_period_start"], "end": item["current_period_end"]},
        "pricing": {
            "type": "price_details",
            "price_details": {"price": item["price"]["id"], "product": product["id"]},
        },
        "metadata": {},
    }


def _note_payment(world: World, invoice: Json, intent: Json) -> None:
    world.make(
        "invoice_payment",
        "inpay",
        invoice=invoice["id"],
        amount_requested=invoice["total"],
        amount_paid=invoice["amount_paid"] or None,
        currency=invoice["currency"],
        is_default=True,
        status="paid" if invoice["status"] == "paid" else "open",
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
    )
