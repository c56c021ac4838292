"""The customer's portal: the plan, the cards, the invoices, and the way back."""

from datetime import UTC, datetime
from html import escape

from devstack.standins.stripe import customers, subscriptions
from devstack.standins.stripe.cards import card_fields, label_of, take_card
from devstack.standins.stripe.errors import Json, StripeError
from devstack.standins.stripe.looks import box, button, money, page, table
from devstack.standins.stripe.world import World
from devstack.standins.web import Response, redirect


def show(world: World, object_id: str, *, form: dict[str, str] | None = None, message: str = "") -> Response:
    """Return the portal of a session's customer."""
    session = world.store.get("billing_portal.session", object_id)
    owner = session["customer"]
    back = session["return_url"]
    link = f"<p><a href='{escape(back)}'>&larr; Back to where you came from</a></p>" if back else ""
    error = f"<p class='note error' role='alert'>{escape(message)}</p>" if message else ""
    fields = card_fields(form or {}, has_focus=False)
    add = f"<details{' open' if message else ''}><summary>Use another card</summary><form method='post'>{fields}"
    add += "<button name='add' value='card' class='key'>Save this card</button></form></details>"
    content = box("Plan", _plans(world, owner)) + box("Cards", _cards(world, owner) + add)
    content += box("Invoices", _invoices(world, owner))
    return page("Billing", f"{link}{error}{content}", status=402 if message else 200)


def act(world: World, object_id: str, form: dict[str, str]) -> Response:
    """Do what a button of the portal says."""
    owner = world.store.get("billing_portal.session", object_id)["customer"]
    try:
        for verb, value in form.items():
            _do(world, owner, verb, value, form)
    except StripeError as error:
        if error.status != 402:
            raise
        return show(world, object_id, form=form, message=error.message)
    return redirect(f"/portal/{object_id}")


def show_invoice(world: World, object_id: str) -> Response:
    """Return the hosted page of an invoice."""
    invoice = world.store.get("invoice", object_id)
    rows = [
        f"<td>{escape(line['description'])}</td><td class='amount'>{money(line['amount'], line['currency'])}</td>"
        for line in invoice["lines"]["data"]
    ]
    state = f"<p>{escape(str(invoice['status']).title())}, {_day(invoice['created'])}</p>"
    return page(f"Invoice {invoice['number']}", state + table(("What", "Amount"), rows, empty="Nothing."))


def _do(world: World, owner: str, verb: str, value: str, form: dict[str, str]) -> None:
    match verb:
        case "cancel" | "keep":
            _check_owner(world.store.get("subscription", value), owner)
            change = {"cancel_at_period_end": "true" if verb == "cancel" else "false"}
            subscriptions.update_subscription(world, change, value)
        case "detach" | "default":
            _check_owner(world.store.get("payment_method", value), owner)
            if verb == "detach":
                customers.detach(world, {}, value)
            else:
                _make_default(world, owner, value)
        case "add":
            card = customers.attach(world, {"customer": owner}, take_card(world, form))
            _make_default(world, owner, card["id"])


def _make_default(world: World, owner: str, card_id: str) -> None:
    customers.update_customer(world, {"invoice_settings": {"default_payment_method": card_id}}, owner)
    for plan in _owned(world, "subscription", owner):
        if plan["status"] != "canceled":
            subscriptions.update_subscription(world, {"default_payment_method": card_id}, plan["id"])


def _check_owner(value: Json, owner: str) -> None:
    if value["customer"] != owner:
        raise StripeError("That belongs to another customer.", status=404)


def _plans(world: World, owner: str) -> str:
    rows = []
    for plan in _owned(world, "subscription", owner):
        item = plan["items"]["data"][0]
        name = str(world.store.get("product", item["price"]["product"])["name"])
        price = money(item["price"]["unit_amount"], plan["currency"])
        ends = f"ends with the period, {_day(item['current_period_end'])}" if plan["cancel_at_period_end"] else ""
        verb, label = ("keep", "Keep plan") if ends else ("cancel", "Cancel plan")
        control = "" if plan["status"] == "canceled" else button(label, name=verb, value=plan["id"], about=name)
        rows.append(
            f"<td>{escape(name)}, {price} a month</td><td>{escape(plan['status'])}<br>{ends}</td>"
            f"<td><form method='post'>{control}</form></td>"
        )
    return table(("Plan", "State", "Change"), rows, empty="No plan.")


def _cards(world: World, owner: str) -> str:
    default = customers.get_customer(world, {}, owner)["invoice_settings"]["default_payment_method"]
    rows = []
    for card in _owned(world, "payment_method", owner):
        label = label_of(card)
        mark = "used for payments" if card["id"] == default else ""
        controls = "" if mark else button("Make default", name="default", value=card["id"], about=label)
        controls += button("Remove", name="detach", value=card["id"], about=label)
        rows.append(f"<td>{escape(label)}<br>{mark}</td><td><form method='post'>{controls}</form></td>")
    return table(("Card", "Change"), rows, empty="No saved card.")


def _invoices(world: World, owner: str) -> str:
    rows = [
        f"<td><a href='/invoices/{invoice['id']}'>{escape(invoice['number'])}</a></td>"
        f"<td>{_day(invoice['created'])}</td><td>{escape(invoice['status'])}</td>"
        f"<td class='amount'>{money(invoice['total'], invoice['currency'])}</td>"
        for invoice in _owned(world, "invoice", owner)
    ]
    return table(("Number", "Date", "State", "Amount"), rows, empty="No invoices yet.")


def _owned(world: World, kind: str, owner: str) -> list[Json]:
    return [value for value in world.store.list_kind(kind) if value["customer"] == owner]


def _day(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%-d %b %Y}"
