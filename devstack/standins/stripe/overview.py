"""The front page for developers: what has happened, and buttons for what banks and customers do."""

from html import escape

from devstack.standins.stripe import clawbacks, subscriptions
from devstack.standins.stripe.cards import label_of
from devstack.standins.stripe.errors import Json, StripeError
from devstack.standins.stripe.looks import box, button, money, page, table
from devstack.standins.stripe.world import World
from devstack.standins.web import Response, redirect

SHOWN = 20
BEHAVIOURS = {
    "ok": "pays",
    "declined": "is declined",
    "authentication": "asks for authentication",
    "later": "fails later",
}


def show(world: World, *, message: str = "") -> Response:
    """Return the page."""
    total = world.store.one("SELECT COALESCE(SUM(amount), 0) AS amount FROM money")
    taken = money(total["amount"] if total is not None else 0, "usd")
    error = f"<p class='note error' role='alert'>{escape(message)}</p>" if message else ""
    target = f"<code>{escape(world.webhook_url)}</code>" if world.webhook_url else "nowhere"
    content = f"{error}<p>Money taken: <strong>{taken}</strong>. Webhooks go to {target}.</p>"
    content += box("Payments", _payments(world)) + box("Disputes", _disputes(world))
    content += box("Open checkouts", _sessions(world)) + box("Saved cards", _cards(world))
    content += box("Subscriptions", _subscriptions(world)) + box("Webhooks", _deliveries(world))
    return page("Stripe stand-in", content, status=400 if message else 200, is_wide=True)


def act(world: World, form: dict[str, str]) -> Response:
    """Do what a button says; the refusal of the API is shown on the page."""
    try:
        for verb, value in form.items():
            _do(world, verb, value)
    except StripeError as error:
        return show(world, message=error.message)
    return redirect("/")


def set_behaviour(world: World, object_id: str, behaviour: str, decline_code: str = "generic_decline") -> Json:
    """Let a saved card behave otherwise from now on."""
    if behaviour not in BEHAVIOURS:
        raise StripeError(f"behaviour must be one of {', '.join(BEHAVIOURS)}")
    card = world.store.get("payment_method", object_id)
    card.update(_behaviour=behaviour, _decline_code=decline_code)
    return world.store.save(card)


def _do(world: World, verb: str, value: str) -> None:
    match verb:
        case "refund":
            clawbacks.create_refund(world, {"payment_intent": value})
        case "dispute":
            dispute = clawbacks.open_dispute(world, {"payment_intent": value})
            clawbacks.advance_dispute(world, dispute["id"], "withdraw")
        case "win":
            clawbacks.advance_dispute(world, value, "reinstate")
            clawbacks.advance_dispute(world, value, "win")
        case "lose":
            clawbacks.advance_dispute(world, value, "lose")
        case "renew":
            subscriptions.renew_subscription(world, value)
        case "again":
            world.deliver_again(value)
        case "ok" | "declined" | "authentication":
            set_behaviour(world, value, verb)


def _payments(world: World) -> str:
    rows = []
    for intent in world.store.list_kind("payment_intent")[:SHOWN]:
        amount = money(intent["amount"], intent["currency"])
        paid = world.store.find(intent["latest_charge"]) if intent["status"] == "succeeded" else None
        controls = ""
        if paid is not None and not paid["refunded"]:
            controls += button("Refund", name="refund", value=intent["id"], about=amount)
        if paid is not None and not paid["disputed"]:
            controls += button("Dispute", name="dispute", value=intent["id"], about=amount)
        back = money(paid["amount_refunded"], intent["currency"]) if paid and paid["amount_refunded"] else ""
        rows.append(
            f"<td><code>{intent['id']}</code></td><td class='amount'>{amount}</td><td>{escape(intent['status'])}</td>"
            f"<td class='amount'>{back}</td><td><form method='post'>{controls}</form></td>"
        )
    return table(("Payment", "Amount", "State", "Refunded", "Let it"), rows, empty="No payments yet.")


def _disputes(world: World) -> str:
    rows = []
    for dispute in world.store.list_kind("dispute")[:SHOWN]:
        amount = money(dispute["amount"], dispute["currency"])
        verbs = ("lose", "win") if dispute["status"] == "needs_response" and dispute["_withdrawn"] else ()
        controls = "".join(button(verb.title(), name=verb, value=dispute["id"], about=amount) for verb in verbs)
        rows.append(
            f"<td><code>{dispute['id']}</code></td><td class='amount'>{amount}</td><td>{escape(dispute['status'])}</td>"
            f"<td><form method='post'>{controls}</form></td>"
        )
    return table(("Dispute", "Amount", "State", "Let us"), rows, empty="No disputes. Open one at a payment.")


def _sessions(world: World) -> str:
    rows = [
        f"<td><a href='/pay/{session['id']}'>{money(session['amount_total'], session['currency'])}</a></td>"
        f"<td>{escape(session['mode'])}</td><td><code>{session['id']}</code></td>"
        for session in world.store.list_kind("checkout.session")
        if session["status"] == "open"
    ]
    return table(("Page", "Mode", "Session"), rows[:SHOWN], empty="Nobody is about to pay.")


def _cards(world: World) -> str:
    rows = []
    for card in world.store.list_kind("payment_method"):
        if not card["customer"]:
            continue
        label = label_of(card)
        controls = "".join(
            button(text, name=behaviour, value=card["id"], about=label)
            for behaviour, text in (("ok", "Works"), ("declined", "Is declined"), ("authentication", "Asks"))
            if card["_behaviour"] != behaviour
        )
        state = BEHAVIOURS.get(card["_behaviour"], card["_behaviour"])
        rows.append(f"<td>{escape(label)}</td><td>{state}</td><td><form method='post'>{controls}</form></td>")
    return table(("Card", "When charged it", "From now on"), rows[:SHOWN], empty="No card is saved.")


def _subscriptions(world: World) -> str:
    rows = [
        f"<td><code>{one['id']}</code></td><td>{escape(one['status'])}</td><td><form method='post'>"
        f"{button('End the period', name='renew', value=one['id'])}</form></td>"
        for one in world.store.list_kind("subscription")
        if one["status"] != "canceled"
    ]
    return table(("Subscription", "State", "Let it"), rows[:SHOWN], empty="No subscriptions.")


def _deliveries(world: World) -> str:
    sent = world.store.all(
        "SELECT d.*, json_extract(o.body, '$.type') AS type FROM deliveries d JOIN objects o ON o.id = d.event_id "
        "ORDER BY d.seq DESC LIMIT ?",
        SHOWN,
    )
    rows = [
        f"<td>{escape(row['type'])}</td><td>{escape(row['state'])}</td><td>{row['last_status'] or ''}</td>"
        f"<td><form method='post'>{button('Send again', name='again', value=row['event_id'], about=row['type'])}"
        "</form></td>"
        for row in sent
    ]
    return table(("Event", "State", "Answer", "Once more"), rows, empty="Nothing was sent yet.")
