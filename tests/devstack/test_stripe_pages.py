"""The Stripe stand-in as a person uses it: cards by number, the bank's question, the portal, buttons for developers."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

from tests.devstack.stripe_server import StripeServer, stripe_server
from tests.devstack.test_stripe_checkout import recurring, subscribe, typed

PAID, DECLINED, ASKS, LATER = "4242424242424242", "4000000000000002", "4000002760003184", "4000000000000341"
CARDS_KEPT: dict[str, Any] = {"payment_intent_data": {"setup_future_usage": "off_session"}}


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with stripe_server() as server:
        yield server


def post(server: StripeServer, path: str, **form: str) -> httpx.Response:
    return httpx.post(path if "://" in path else f"{server.url}{path}", data=form, follow_redirects=True)


def type_card(session: stripe.checkout.Session, number: str, **changes: str) -> httpx.Response:
    return httpx.post(str(session.url), data=typed(number, **changes))


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (DECLINED, "Your card was declined."),
        ("4000 0000 0000 9995", "Your card has insufficient funds."),
        ("4000-0000-0000-0069", "Your card has expired."),
        ("4111111111111111", "is not a test card"),
        ("4242424242424241", "Your card number is invalid."),
        ("", "Your card number is incomplete."),
    ],
)
def test_a_number_says_what_becomes_of_the_payment(server: StripeServer, number: str, message: str) -> None:
    answer = type_card(server.open_session(), number)
    assert (answer.status_code, message in answer.text) == (402, True)
    assert server.money() == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expiry": "12 / 20"}, "in the past"),
        ({"expiry": "13/34"}, "date is incomplete"),
        ({"expiry": "soon"}, "date is incomplete"),
        ({"cvc": "12"}, "security code is incomplete"),
    ],
)
def test_what_is_wrong_with_a_card_is_said_before_it_is_charged(
    server: StripeServer, changes: dict[str, str], message: str
) -> None:
    answer = type_card(server.open_session(), PAID, **changes)
    assert (answer.status_code, message in answer.text) == (402, True)
    assert server.client.v1.payment_intents.list().data == []


def test_what_was_typed_comes_back_but_not_the_security_code(server: StripeServer) -> None:
    page = type_card(server.open_session(), DECLINED, cvc="987").text
    assert DECLINED in page
    assert "p@example.com" in page
    assert "987" not in page


def test_a_second_card_is_tried_on_the_same_payment(server: StripeServer) -> None:
    session = server.open_session()
    type_card(session, DECLINED)
    assert type_card(session, PAID).status_code == 303
    (intent,) = server.client.v1.payment_intents.list().data
    assert (intent.status, server.money()) == ("succeeded", [("payment", 2000)])


def test_a_bank_that_is_told_yes_leads_back_to_the_shop(server: StripeServer) -> None:
    session = server.open_session()
    question = type_card(session, ASKS).headers["location"]
    assert "$20.00" in httpx.get(f"{server.url}{question}").text
    answer = httpx.post(f"{server.url}{question}", data={"answer": "yes"})
    assert answer.headers["location"] == f"http://127.0.0.1:9/done?session={session.id}"
    assert server.money() == [("payment", 2000)]


def test_a_bank_that_is_told_no_leaves_the_session_open(server: StripeServer) -> None:
    session = server.open_session()
    question = type_card(session, ASKS).headers["location"]
    page = post(server, question, answer="no")
    assert "unable to authenticate" in page.text
    assert server.client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert type_card(session, PAID).status_code == 303
    assert server.money() == [("payment", 2000)]


def test_a_question_that_is_left_open_goes_with_its_session(server: StripeServer) -> None:
    session = server.open_session()
    type_card(session, ASKS)
    server.client.v1.checkout.sessions.expire(session.id)
    (intent,) = server.client.v1.payment_intents.list().data
    assert intent.status == "canceled"


def test_a_card_that_fails_later_pays_while_its_owner_is_there(server: StripeServer) -> None:
    session = server.open_session(**CARDS_KEPT)
    assert type_card(session, LATER).status_code == 303
    customer = str(server.client.v1.checkout.sessions.retrieve(session.id).customer)
    (card,) = server.client.v1.customers.payment_methods.list(customer).data
    with pytest.raises(stripe.CardError):
        server.pay(500, customer=customer, payment_method=card.id)
    assert server.money() == [("payment", 2000)]


def test_a_card_is_kept_only_when_it_is_asked_for(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "k@example.com"}).id
    options = {"customer": customer, "saved_payment_method_options": {"payment_method_save": "enabled"}}
    type_card(server.open_session(**options), PAID)
    assert server.client.v1.customers.payment_methods.list(customer).data == []
    type_card(server.open_session(**options), PAID, save="on", expiry="07/31")
    (kept,) = server.client.v1.customers.payment_methods.list(customer).data
    assert kept.card is not None
    assert (kept.card.last4, kept.card.exp_month, kept.card.exp_year) == ("4242", 7, 2031)


def test_a_kept_card_is_offered_at_the_next_checkout(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "k@example.com", "payment_method": "pm_card_visa"}).id
    (card,) = server.client.v1.customers.payment_methods.list(customer).data
    session = server.open_session(customer=customer)
    assert card.id in httpx.get(str(session.url)).text
    assert httpx.post(str(session.url), data={"card": card.id}).status_code == 303


def test_a_card_is_kept_without_a_payment(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "k@example.com"}).id
    session = server.open_session(mode="setup", customer=customer, line_items=[])
    type_card(session, PAID)
    found = server.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert isinstance(found.setup_intent, stripe.SetupIntent)
    assert (found.setup_intent.status, server.money()) == ("succeeded", [])
    assert len(server.client.v1.customers.payment_methods.list(customer).data) == 1


def test_plans_have_prices_from_the_start(server: StripeServer) -> None:
    key = "afterresume_starter_monthly"
    (price,) = server.client.v1.prices.list({"lookup_keys": [key], "active": True}).data
    session = server.open_session(mode="subscription", line_items=[{"price": price.id, "quantity": 1}])
    assert "AfterResume Starter" in httpx.get(str(session.url)).text
    assert type_card(session, ASKS).headers["location"] == f"/authenticate/{session.id}"
    httpx.post(f"{server.url}/authenticate/{session.id}", data={"answer": "yes"})
    assert server.client.v1.subscriptions.list().data[0]["items"].data[0].price.lookup_key == key


def open_portal(server: StripeServer, customer: str) -> str:
    described: Any = {"customer": customer, "return_url": "http://127.0.0.1:9/settings"}
    return str(server.client.v1.billing_portal.sessions.create(described).url)


def test_the_portal_changes_the_card(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "k@example.com", "payment_method": "pm_card_visa"}).id
    portal = open_portal(server, customer)
    assert "http://127.0.0.1:9/settings" in httpx.get(portal).text
    post(server, portal, add="card", number="5555555555554444", expiry="01/30", cvc="123")
    found = server.client.v1.customers.retrieve(customer, {"expand": ["invoice_settings.default_payment_method"]})
    assert found.to_dict()["invoice_settings"]["default_payment_method"]["card"]["brand"] == "mastercard"


def test_the_portal_says_what_is_wrong_with_a_card(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "k@example.com"}).id
    page = post(server, open_portal(server, customer), add="card", number="4242", expiry="01/30", cvc="123")
    assert (page.status_code, "Your card number is invalid." in page.text) == (402, True)


def test_the_portal_removes_a_card(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "k@example.com", "payment_method": "pm_card_visa"}).id
    (card,) = server.client.v1.customers.payment_methods.list(customer).data
    page = post(server, open_portal(server, customer), detach=card.id)
    assert "No saved card." in page.text
    assert server.client.v1.customers.retrieve(customer).to_dict()["invoice_settings"]["default_payment_method"] is None


def test_the_portal_touches_nothing_of_another_customer(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "k@example.com", "payment_method": "pm_card_visa"}).id
    (card,) = server.client.v1.customers.payment_methods.list(customer).data
    other = server.client.v1.customers.create({"email": "o@example.com"}).id
    assert post(server, open_portal(server, other), detach=card.id).status_code == 404
    assert len(server.client.v1.customers.payment_methods.list(customer).data) == 1


def test_a_plan_that_was_to_end_can_be_kept(server: StripeServer) -> None:
    subscription = subscribe(server)
    portal = open_portal(server, str(subscription.customer))
    post(server, portal, cancel=subscription.id)
    assert server.client.v1.subscriptions.retrieve(subscription.id).cancel_at is not None
    post(server, portal, keep=subscription.id)
    assert server.client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is False


def test_an_invoice_says_what_for_and_is_found_by_its_payment(server: StripeServer) -> None:
    subscription = subscribe(server)
    invoice = server.client.v1.invoices.retrieve(str(subscription.latest_invoice))
    (line,) = invoice.lines.data
    assert (invoice.number, line.amount, line.description) == ("STANDIN-0001", 1900, "1 \u00d7 Pro")
    (intent,) = server.client.v1.payment_intents.list().data
    payment: Any = {"type": "payment_intent", "payment_intent": intent.id}
    (found,) = server.client.v1.invoice_payments.list({"payment": payment}).data
    assert found.invoice == invoice.id
    assert "STANDIN-0001" in httpx.get(str(invoice.hosted_invoice_url)).text
    assert server.client.v1.invoices.list({"subscription": "sub_other"}).data == []


def test_the_overview_opens_and_wins_a_dispute(server: StripeServer) -> None:
    intent = server.pay(2000)
    post(server, "/", dispute=intent.id)
    (dispute,) = server.client.v1.disputes.list({"payment_intent": intent.id}).data
    assert [one.amount for one in dispute.balance_transactions] == [-2000]
    post(server, "/", win=dispute.id)
    dispute = server.client.v1.disputes.retrieve(dispute.id)
    assert (dispute.status, [one.amount for one in dispute.balance_transactions]) == ("won", [-2000, 2000])


def test_the_overview_loses_a_dispute_and_refunds(server: StripeServer) -> None:
    lost, refunded = server.pay(2000), server.pay(700)
    post(server, "/", dispute=lost.id)
    (dispute,) = server.client.v1.disputes.list().data
    post(server, "/", lose=dispute.id)
    post(server, "/", refund=refunded.id)
    assert server.client.v1.disputes.retrieve(dispute.id).status == "lost"
    assert sorted(amount for _, amount in server.money()) == [-2000, -700, 700, 2000]
    assert "has already been refunded" in post(server, "/", refund=refunded.id).text


def test_a_saved_card_can_be_made_to_fail(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "k@example.com", "payment_method": "pm_card_visa"}).id
    (card,) = server.client.v1.customers.payment_methods.list(customer).data
    post(server, "/", declined=card.id)
    with pytest.raises(stripe.CardError):
        server.pay(500, customer=customer, payment_method=card.id)
    server.control("POST", f"payment_methods/{card.id}/behave", behaviour="ok")
    assert server.pay(500, customer=customer, payment_method=card.id).status == "succeeded"


def test_the_overview_ends_a_period_and_sends_events_again() -> None:
    with stripe_server(sends=True) as server:
        subscription = subscribe(server)
        post(server, "/", renew=subscription.id)
        (event,) = server.client.v1.events.list({"type": "customer.subscription.created"}).data
        page = post(server, "/", again=event.id)
        assert page.text.count("customer.subscription.created") >= 2


def test_events_are_filtered_before_they_are_paged(server: StripeServer) -> None:
    for _ in range(3):
        server.pay(500)
    wanted: Any = {"types": ["charge.*", "refund.created"], "limit": 2}
    found = [event.type for event in server.client.v1.events.list(wanted).auto_paging_iter()]
    assert found == ["charge.succeeded"] * 3


def test_a_key_in_use_says_so_and_is_not_kept(server: StripeServer) -> None:
    server.turn(kind="status", status=409, match="POST /v1/payment_intents")
    with pytest.raises(stripe.StripeError) as caught:
        server.pay_with_key("k9")
    assert caught.value.http_status == 409
    assert "idempotency_key_in_use" in str(caught.value.http_body)
    assert server.pay_with_key("k9").status == "succeeded"


def test_a_person_subscribes_on_the_page(server: StripeServer) -> None:
    session = server.open_session(**recurring())
    assert "Subscribe for $19.00 a month" in httpx.get(str(session.url)).text
    assert type_card(session, PAID).status_code == 303
