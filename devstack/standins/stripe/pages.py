"""The pages that Stripe hosts: Checkout, authentication, the portal, receipts; and an overview for developers."""

from html import escape
from urllib.parse import parse_qs

from devstack.standins.stripe import checkout, customers, payments, subscriptions
from devstack.standins.stripe.errors import Json, StripeError
from devstack.standins.stripe.world import World
from devstack.standins.web import Request, Response, html_response, redirect

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; background: #f3f4f6; color: #111827; }
main { max-width: 34rem; margin: 3rem auto; padding: 2rem; background: #fff; border-radius: .75rem; }
.note { background: #fef3c7; padding: .5rem .75rem; border-radius: .5rem; } .error { background: #fee2e2; }
label { display: block; margin: 1rem 0; } input, select { display: block; width: 100%; padding: .5rem; }
button { padding: .7rem 1.4rem; border: 0; border-radius: .5rem; background: #4f46e5; color: #fff; font-size: 1rem; }
table { width: 100%; border-collapse: collapse; } td { padding: .3rem 0; border-bottom: 1px solid #e5e7eb; }
"""
# No form-action: a browser applies it to the redirect back to the shop as well.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
NOTE = "<p class='note'>This is a stand-in for Stripe on this machine. No money moves.</p>"
CARD_LABELS = {
    "pm_card_visa": "Visa 4242: pays",
    "pm_card_mastercard": "Mastercard 4444: pays",
    "pm_card_chargeDeclined": "Visa 0002: is declined",
    "pm_card_chargeDeclinedInsufficientFunds": "Visa 9995: has insufficient funds",
    "pm_card_authenticationRequired": "Visa 3184: asks for authentication when charged later",
    "pm_card_processing": "Visa 1111: takes its time",
}


def serve_pages(world: World, request: Request) -> Response:
    """Answer one request of a browser."""
    section, _, object_id = request.path.strip("/").partition("/")
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    try:
        with world.store.transaction():
            match request.method, section:
                case "GET", "":
                    return _overview(world)
                case "GET", "pay":
                    return _checkout_page(checkout.get_session(world, {}, object_id))
                case "POST", "pay":
                    return _pay(world, object_id, form)
                case _, "authenticate":
                    return _authenticate(world, object_id, form)
                case _, "portal":
                    return _portal(world, object_id, form)
                case "GET", "receipts":
                    return _receipt(payments.get_charge(world, {}, object_id))
    except StripeError as error:
        return _page("Not possible", f"<p class='note error'>{escape(error.message)}</p>", status=error.status)
    return _page("Not found", "", status=404)


def money(cents: int, currency: str) -> str:
    """Return an amount as people read it."""
    return f"{currency.upper()} {cents // 100:,}.{cents % 100:02}"


def _pay(world: World, object_id: str, form: dict[str, str]) -> Response:
    try:
        session = checkout.pay_session(
            world, object_id, card_name=form.get("card", customers.DEFAULT_CARD), email=form.get("email", "")
        )
    except StripeError as error:
        if error.status != 402:
            raise
        # A decline is kept, and the person may try another card.
        return _checkout_page(checkout.get_session(world, {}, object_id), message=error.message, status=402)
    target = session["success_url"]
    if not target:
        return _page("Thank you", "<p>The payment is made. You can close this page.</p>")
    return redirect(target.replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _checkout_page(session: Json, *, message: str = "", status: int = 200) -> Response:
    if session["status"] != "open":
        return _page("Checkout", f"<p>This session is {escape(session['status'])}.</p>", status=410)
    currency = session["currency"]
    items = "".join(
        f"<tr><td>{escape(str(item['description']))} x {item['quantity']}</td>"
        f"<td>{money(item['amount_total'], currency)}</td></tr>"
        for item in session["_items"]
    )
    options = "".join(f"<option value='{name}'>{escape(label)}</option>" for name, label in CARD_LABELS.items())
    error = f"<p class='note error' role='alert'>{escape(message)}</p>" if message else ""
    back = session["cancel_url"]
    cancel = f" <a href='{escape(back)}'>Back without paying</a>" if back else ""
    total = money(session["amount_total"], currency)
    email = escape(session["customer_email"] or "")
    body = f"""{NOTE}{error}<table>{items}</table>
<form method="post">
<label>E-mail <input name="email" type="email" value="{email}"></label>
<label>Card <select name="card">{options}</select></label>
<button type="submit">Pay {total}</button>{cancel}
</form>"""
    return _page(f"Pay {total}", body, status=status)


def _authenticate(world: World, object_id: str, form: dict[str, str]) -> Response:
    if "answer" in form:
        intent = payments.settle_payment_intent(world, object_id, succeeds=form["answer"] == "yes")
        return _page("Authentication", f"<p>The payment is {escape(intent['status'])}.</p>")
    intent = payments.get_payment_intent(world, {}, object_id)
    buttons = (
        "<form method='post'><button name='answer' value='yes'>It is me</button> "
        "<button name='answer' value='no'>Refuse</button></form>"
    )
    amount = money(intent["amount"], intent["currency"])
    return _page("Authentication", f"{NOTE}<p>Your bank asks about {amount}.</p>{buttons}")


def _portal(world: World, object_id: str, form: dict[str, str]) -> Response:
    session = world.store.get("billing_portal.session", object_id)
    if "cancel" in form:
        subscriptions.update_subscription(world, {"cancel_at_period_end": "true"}, form["cancel"])
    if "detach" in form:
        customers.detach(world, {}, form["detach"])
    owner = session["customer"]
    plans = [one for one in world.store.list_kind("subscription") if one["customer"] == owner]
    cards = [one for one in world.store.list_kind("payment_method") if one["customer"] == owner]
    rows = "".join(
        _portal_row(
            f"Subscription {one['status']}{', ends with the period' * one['cancel_at_period_end']}", "cancel", one
        )
        for one in plans
    )
    rows += "".join(_portal_row(f"{one['card']['brand']} {one['card']['last4']}", "detach", one) for one in cards)
    back = f"<p><a href='{escape(session['return_url'])}'>Back</a></p>" if session["return_url"] else ""
    return _page("Billing portal", f"{NOTE}<table>{rows}</table>{back}")


def _portal_row(label: str, verb: str, value: Json) -> str:
    button = f"<button name='{verb}' value='{value['id']}'>{verb.title()}</button>"
    return f"<tr><td>{escape(label)}</td><td><form method='post'>{button}</form></td></tr>"


def _receipt(paid: Json) -> Response:
    amount, returned = money(paid["amount"], paid["currency"]), money(paid["amount_refunded"], paid["currency"])
    rows = f"<tr><td>Paid</td><td>{amount}</td></tr><tr><td>Refunded</td><td>{returned}</td></tr>"
    return _page("Receipt", f"{NOTE}<table>{rows}</table><p>{escape(paid['id'])}</p>")


def _overview(world: World) -> Response:
    intents = "".join(
        f"<tr><td>{one['id']}</td><td>{money(one['amount'], one['currency'])}</td><td>{escape(one['status'])}</td></tr>"
        for one in world.store.list_kind("payment_intent")[:20]
    )
    sent = world.store.all(
        "SELECT d.*, json_extract(o.body, '$.type') AS type FROM deliveries d JOIN objects o ON o.id = d.event_id "
        "ORDER BY d.seq DESC LIMIT 20"
    )
    deliveries = "".join(
        f"<tr><td>{escape(row['type'])}</td><td>{escape(row['state'])}</td><td>{row['last_status'] or ''}</td></tr>"
        for row in sent
    )
    total = world.store.one("SELECT COALESCE(SUM(amount), 0) AS amount FROM money")
    taken = money(total["amount"], "usd") if total is not None else ""
    body = f"{NOTE}<p>Money taken: {taken}</p><h2>Payments</h2><table>{intents}</table>"
    return _page("Stripe stand-in", f"{body}<h2>Webhooks</h2><table>{deliveries}</table>")


def _page(title: str, content: str, *, status: int = 200) -> Response:
    head = f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title><style>{STYLE}</style>"
    page = f"{head}<body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    return html_response(page, status=status, headers={"Content-Security-Policy": POLICY})
