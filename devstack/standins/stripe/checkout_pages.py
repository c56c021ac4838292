"""The Checkout page, and the bank's question that may come between it and the way back."""

from html import escape

from devstack.standins.stripe import checkout, customers
from devstack.standins.stripe.cards import NUMBERS, card_fields, label_of, take_card
from devstack.standins.stripe.errors import Json, StripeError
from devstack.standins.stripe.looks import box, money, page, table
from devstack.standins.stripe.payments import NOT_AUTHENTICATED
from devstack.standins.stripe.world import World
from devstack.standins.web import Response, redirect


def show(world: World, object_id: str, *, is_refused: bool = False) -> Response:
    """Return the page of a session; `is_refused` when the bank's question was just answered with no."""
    session = checkout.get_session(world, {}, object_id)
    return _checkout_page(world, session, {}, message=NOT_AUTHENTICATED if is_refused else "")


def pay(world: World, object_id: str, form: dict[str, str]) -> Response:
    """Take what was typed and pay: to the shop, to the bank's question, or back to the page with what is wrong."""
    try:
        session = checkout.pay_session(
            world,
            object_id,
            card_name=form.get("card") or take_card(world, form),
            email=form.get("email", ""),
            saves_card="save" in form,
        )
    except StripeError as error:
        if error.status != 402:
            raise
        # A decline is kept, and the person may try another card.
        return _checkout_page(
            world, checkout.get_session(world, {}, object_id), form, message=error.message, status=402
        )
    if session["status"] == "open":
        return redirect(f"/authenticate/{session['id']}")
    return _back(session)


def ask(world: World, object_id: str) -> Response:
    """Return the page on which the bank asks about a session."""
    session = checkout.get_session(world, {}, object_id)
    if session["status"] != "open" or "_asks_with" not in session:
        return redirect(f"/pay/{session['id']}")
    card = world.store.get("payment_method", session["_asks_with"])
    return question(f"{_total(session)} with {label_of(card)}", f"/authenticate/{session['id']}")


def answer(world: World, object_id: str, *, succeeds: bool) -> Response:
    """Tell the session what the customer answered to the bank."""
    try:
        return _back(checkout.answer_authentication(world, object_id, succeeds=succeeds))
    except StripeError as error:
        if error.status != 402:
            raise
        return redirect(f"/pay/{object_id}?refused=1")


def question(about: str, target: str) -> Response:
    """Return the 3-D Secure page."""
    content = f"""<p>Your bank wants to know whether it is you who pays <strong>{escape(about)}</strong>.</p>
<form method="post" action="{escape(target)}">
<p><button class="key" name="answer" value="yes">Complete authentication</button></p>
<p class="row"><button name="answer" value="no">Fail authentication</button></p></form>"""
    return page("3-D Secure", f"<div class='box'>{content}</div>")


def _back(session: Json) -> Response:
    target = session["success_url"]
    if not target:
        return page("Thank you", "<p>It is done. You can close this page.</p>")
    return redirect(target.replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _checkout_page(
    world: World, session: Json, form: dict[str, str], *, message: str = "", status: int = 200
) -> Response:
    if session["status"] != "open":
        return _closed_page(session)
    error = f"<p class='note error' role='alert'>{escape(message)}</p>" if message else ""
    back = session["cancel_url"]
    cancel = f"<p><a href='{escape(back)}'>&larr; Back without paying</a></p>" if back else ""
    email = form.get("email") or session["customer_email"] or _email_of(world, session)
    email_focus = "" if email else " autofocus"
    content = f"""{cancel}{_items(session)}{error}
{_saved_cards(world, session, email)}
<form method="post" action="/pay/{session["id"]}" class="box">
<label>E-mail
<input type="email" name="email" value="{escape(email)}" autocomplete="email" required{email_focus}></label>
{card_fields(form, has_focus=bool(email))}
{_promise(session)}
<button type="submit" class="key">{escape(_verb(session))}</button>
{_test_cards()}
</form>"""
    return page(_verb(session), content, status=status)


def _closed_page(session: Json) -> Response:
    words = {"complete": "This has been paid already.", "expired": "This page has expired; nothing was paid."}
    target = session["success_url"] if session["status"] == "complete" else session["cancel_url"]
    address = escape((target or "").replace("{CHECKOUT_SESSION_ID}", session["id"]))
    back = f"<p><a href='{address}'>Back to where you came from</a></p>" if address else ""
    return page("Checkout", f"<p>{words[session['status']]}</p>{back}", status=410)


def _items(session: Json) -> str:
    rows = [
        f"<td>{escape(str(item['description']))} &times; {item['quantity']}</td>"
        f"<td class='amount'>{money(item['amount_total'], session['currency'])}</td>"
        for item in session["_items"]
    ]
    return table(("What", "Amount"), rows, empty="No payment is taken now.")


def _saved_cards(world: World, session: Json, email: str) -> str:
    owned = {
        label_of(card): card["id"]
        for card in reversed(world.store.list_kind("payment_method"))
        if session["customer"] and card["customer"] == session["customer"]
    }
    buttons = "".join(
        f"<p><button name='card' value='{card_id}'>Use {escape(label)}</button></p>"
        for label, card_id in [*owned.items()][-3:]
    )
    if not buttons:
        return ""
    # A form of its own: in the other one the Enter key presses the button of the typed card.
    hidden = f"<input type='hidden' name='email' value='{escape(email)}'>"
    return f"<form method='post' action='/pay/{session['id']}'>{hidden}{box('Saved cards', buttons)}</form>"


def _promise(session: Json) -> str:
    if session["mode"] != "payment" or session["_intent_data"].get("setup_future_usage"):
        return "<p class='quiet small'>This card will be kept for later payments.</p>"
    options = session["saved_payment_method_options"] or {}
    if options.get("payment_method_save") != "enabled":
        return ""
    return "<label class='check'><input type='checkbox' name='save'> Keep this card for later payments</label>"


def _test_cards() -> str:
    rows = [
        f"<td><code>{one.grouped}</code></td><td>{escape(one.does)}</td><td>"
        f"<button name='card' value='{one.name}' formnovalidate"
        f" aria-label='Use {one.grouped}, which {escape(one.does)}'>Use</button></td>"
        for one in NUMBERS
    ]
    listed = table(("Number", "What it does", "At once"), rows, empty="")
    words = "<p class='quiet small'>Any date to come, any security code. Any other number is declined.</p>"
    return f"<details><summary>Test cards</summary>{listed}{words}</details>"


def _email_of(world: World, session: Json) -> str:
    if not session["customer"]:
        return ""
    return str(customers.get_customer(world, {}, session["customer"])["email"] or "")


def _total(session: Json) -> str:
    return money(session["amount_total"], session["currency"])


def _verb(session: Json) -> str:
    match session["mode"]:
        case "subscription":
            return f"Subscribe for {_total(session)} a month"
        case "setup":
            return "Save card"
    return f"Pay {_total(session)}"
