"""The Stripe stand-in: hosted pages, subscriptions and the portal."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

from tests.devstack.stripe_server import StripeServer, stripe_server


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with stripe_server() as server:
        yield server


def typed(number: str, **changes: str) -> dict[str, str]:
    """What a person types on the page."""
    return {"number": number, "expiry": "12 / 34", "cvc": "123", "email": "p@example.com", **changes}


def recurring(**price: Any) -> dict[str, Any]:
    data = {"currency": "usd", "unit_amount": 1900, "recurring": {"interval": "month"}, "product_data": {"name": "Pro"}}
    return {"mode": "subscription", "line_items": [{"quantity": 1, "price_data": {**data, **price}}]}


def subscribe(server: StripeServer) -> stripe.Subscription:
    session = server.open_session(**recurring())
    server.control("POST", f"checkout/{session.id}/pay")
    paid = server.client.v1.checkout.sessions.retrieve(session.id)
    return server.client.v1.subscriptions.retrieve(str(paid.subscription))


def test_a_person_pays_on_the_page_and_comes_back(server: StripeServer) -> None:
    session = server.open_session()
    page = httpx.get(str(session.url))
    assert "Pay $20.00" in page.text
    answer = httpx.post(str(session.url), data=typed("4242 4242 4242 4242"))
    assert answer.headers["location"] == f"http://127.0.0.1:9/done?session={session.id}"
    paid = server.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent", "line_items"]})
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    assert isinstance(paid.payment_intent, stripe.PaymentIntent)
    assert paid.line_items is not None
    assert paid.line_items.data[0].amount_total == 2000
    assert server.money() == [("payment", 2000)]


def test_a_declined_card_leaves_the_page_open(server: StripeServer) -> None:
    session = server.open_session()
    answer = httpx.post(str(session.url), data={"card": "pm_card_chargeDeclined"})
    assert (answer.status_code, "Your card was declined." in answer.text) == (402, True)
    assert httpx.post(str(session.url), data={"card": "pm_card_visa"}).status_code == 303
    assert server.money() == [("payment", 2000)]


def test_a_session_is_paid_once(server: StripeServer) -> None:
    session = server.open_session()
    httpx.post(str(session.url), data=typed("4242424242424242"))
    assert httpx.post(str(session.url), data=typed("4242424242424242")).status_code == 400
    assert server.money() == [("payment", 2000)]


def test_a_payment_may_take_its_time(server: StripeServer) -> None:
    session = server.open_session()
    httpx.post(str(session.url), data={"card": "pm_card_processing"})
    waiting = server.client.v1.checkout.sessions.retrieve(session.id)
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    server.control("POST", f"checkout/{session.id}/settle", succeeds=True)
    assert server.client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_an_expired_session_cannot_be_paid(server: StripeServer) -> None:
    session = server.open_session()
    server.client.v1.checkout.sessions.expire(session.id)
    assert httpx.get(str(session.url)).status_code == 410
    assert httpx.post(str(session.url), data=typed("4242424242424242")).status_code == 400
    assert server.money() == []


def test_a_session_expires_by_itself(server: StripeServer) -> None:
    session = server.open_session(expires_at=server.world.now() - 1)
    assert server.client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_a_card_is_saved_for_later_charges(server: StripeServer) -> None:
    session = server.open_session(payment_intent_data={"setup_future_usage": "off_session"})
    httpx.post(str(session.url), data=typed("4242424242424242"))
    customer = server.client.v1.checkout.sessions.retrieve(session.id).customer
    (card,) = server.client.v1.customers.payment_methods.list(str(customer)).data
    assert server.pay(500, customer=customer, payment_method=card.id).status == "succeeded"


def test_open_sessions_of_a_customer_are_listed(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "t@example.com"}).id
    wanted = server.open_session(customer=customer)
    server.open_session()
    listed = server.client.v1.checkout.sessions.list({"customer": customer, "status": "open"})
    assert [one.id for one in listed] == [wanted.id]


def test_a_page_shows_names_without_trusting_them(server: StripeServer) -> None:
    price = {"currency": "usd", "unit_amount": 100, "product_data": {"name": "<script>x</script>"}}
    session = server.open_session(line_items=[{"price_data": price}])
    assert "<script>" not in httpx.get(str(session.url)).text


def test_a_subscription_starts_with_a_paid_invoice(server: StripeServer) -> None:
    subscription = subscribe(server)
    invoice = server.client.v1.invoices.retrieve(str(subscription.latest_invoice))
    assert (subscription.status, invoice.status, invoice.amount_paid) == ("active", "paid", 1900)
    assert server.money() == [("payment", 1900)]


def test_a_period_is_billed_at_its_end(server: StripeServer) -> None:
    subscription = subscribe(server)
    server.control("POST", f"subscriptions/{subscription.id}/renew")
    renewed = server.client.v1.subscriptions.retrieve(subscription.id)
    assert renewed["items"].data[0].current_period_start == subscription["items"].data[0].current_period_end
    assert server.money() == [("payment", 1900)] * 2


def test_a_failed_renewal_is_past_due(server: StripeServer) -> None:
    subscription = subscribe(server)
    server.turn(kind="declined")
    server.control("POST", f"subscriptions/{subscription.id}/renew")
    assert server.client.v1.subscriptions.retrieve(subscription.id).status == "past_due"
    assert [invoice.status for invoice in server.client.v1.invoices.list()] == ["open", "paid"]


def test_a_subscription_ends_with_its_period_from_the_portal(server: StripeServer) -> None:
    subscription = subscribe(server)
    portal = server.client.v1.billing_portal.sessions.create(
        {"customer": str(subscription.customer), "return_url": "http://127.0.0.1:9/settings"}
    )
    page = httpx.post(portal.url, data={"cancel": subscription.id}, follow_redirects=True)
    assert "ends with the period" in page.text
    server.control("POST", f"subscriptions/{subscription.id}/renew")
    assert server.client.v1.subscriptions.retrieve(subscription.id).status == "canceled"


def test_a_plan_is_changed_and_cancelled(server: StripeServer) -> None:
    subscription = subscribe(server)
    product = server.client.v1.products.create({"name": "Enterprise"}).id
    price = server.client.v1.prices.create(
        {"currency": "usd", "unit_amount": 9900, "product": product, "recurring": {"interval": "month"}}
    )
    item = subscription["items"].data[0].id
    changed = server.client.v1.subscriptions.update(subscription.id, {"items": [{"id": item, "price": price.id}]})
    assert changed["items"].data[0].price.unit_amount == 9900
    server.client.v1.subscriptions.cancel(subscription.id)
    assert server.client.v1.subscriptions.list().data == []
    assert len(server.client.v1.subscriptions.list({"status": "all"}).data) == 1


def test_the_overview_shows_payments(server: StripeServer) -> None:
    intent = server.pay(2000)
    assert intent.id in httpx.get(server.url).text
    assert "$20.00" in httpx.get(f"{server.url}/receipts/{intent.latest_charge}").text
    assert httpx.get(f"{server.url}/nowhere").status_code == 404
