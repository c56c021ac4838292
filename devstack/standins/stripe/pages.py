"""The pages that Stripe hosts: Checkout, authentication, the portal, receipts; and an overview for developers."""

from html import escape
from urllib.parse import parse_qs

from devstack.standins.stripe import checkout, checkout_pages, overview, payments, portal_pages
from devstack.standins.stripe.errors import Json, StripeError
from devstack.standins.stripe.looks import money, page, table
from devstack.standins.stripe.world import World
from devstack.standins.web import Request, Response


def serve_pages(world: World, request: Request) -> Response:
    """Answer one request of a browser."""
    section, _, object_id = request.path.strip("/").partition("/")
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    try:
        with world.store.transaction():
            found = _post(world, section, object_id, form) if request.method == "POST" else None
            found = found or (_get(world, section, object_id, request) if request.method == "GET" else None)
    except StripeError as error:
        return page("Not possible", f"<p class='note error'>{escape(error.message)}</p>", status=error.status)
    return found or page("Not found", "<p>There is no such page.</p>", status=404)


def _get(world: World, section: str, object_id: str, request: Request) -> Response | None:
    match section:
        case "":
            return overview.show(world)
        case "pay":
            return checkout_pages.show(world, object_id, is_refused=bool(request.parameter("refused")))
        case "authenticate":
            return _ask(world, object_id)
        case "portal":
            return portal_pages.show(world, object_id)
        case "invoices":
            return portal_pages.show_invoice(world, object_id)
        case "receipts":
            return _receipt(payments.get_charge(world, {}, object_id))
    return None


def _post(world: World, section: str, object_id: str, form: dict[str, str]) -> Response | None:
    match section:
        case "":
            return overview.act(world, form)
        case "pay":
            return checkout_pages.pay(world, object_id, form)
        case "authenticate":
            return _answer(world, object_id, succeeds=form.get("answer") == "yes")
        case "portal":
            return portal_pages.act(world, object_id, form)
    return None


def _ask(world: World, object_id: str) -> Response:
    session_id = _session_asking(world, object_id)
    if session_id:
        return checkout_pages.ask(world, session_id)
    intent = payments.get_payment_intent(world, {}, object_id)
    return checkout_pages.question(money(intent["amount"], intent["currency"]), f"/authenticate/{object_id}")


def _answer(world: World, object_id: str, *, succeeds: bool) -> Response:
    session_id = _session_asking(world, object_id)
    if session_id:
        return checkout_pages.answer(world, session_id, succeeds=succeeds)
    intent = payments.settle_payment_intent(world, object_id, succeeds=succeeds)
    return page("3-D Secure", f"<p>The payment is {escape(intent['status'])}.</p>")


def _session_asking(world: World, object_id: str) -> str:
    """The bank is asked about a session or about a payment, which may be a session's."""
    if object_id.startswith("cs_"):
        return object_id
    session = checkout.find_open_session(world, object_id)
    return "" if session is None else str(session["id"])


def _receipt(paid: Json) -> Response:
    amount, returned = money(paid["amount"], paid["currency"]), money(paid["amount_refunded"], paid["currency"])
    rows = [f"<td>Paid</td><td class='amount'>{amount}</td>", f"<td>Refunded</td><td class='amount'>{returned}</td>"]
    listed = table(("What", "Amount"), rows, empty="")
    return page("Receipt", f"{listed}<p class='quiet small'>{escape(paid['id'])}</p>")
