"""The Stripe stand-in through the real SDK: money in, money back."""

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import stripe

from devstack.standins.stripe.store import Store
from tests.devstack.stripe_server import StripeServer, stripe_server


@pytest.fixture
def server() -> Iterator[StripeServer]:
    with stripe_server() as server:
        yield server


def test_a_charge_off_session_takes_the_money_once(server: StripeServer) -> None:
    intent = server.pay(1234, metadata={"attempt": "a1"})
    assert (intent.status, intent.amount_received, intent.metadata["attempt"]) == ("succeeded", 1234, "a1")
    assert server.money() == [("payment", 1234)]


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_authenticationRequired", "authentication_required", "authentication_required"),
    ],
)
def test_a_declined_card_is_an_error_that_leaves_its_trace(
    server: StripeServer, card: str, code: str, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as caught:
        server.pay(payment_method=card)
    error = caught.value.error
    assert error is not None
    assert error.payment_intent is not None
    assert (error.code, error.decline_code) == (code, decline_code)
    found = server.client.v1.payment_intents.retrieve(error.payment_intent.id)
    assert (found.status, server.money()) == ("requires_payment_method", [])


def test_a_payment_that_needs_the_customer_waits_for_them(server: StripeServer) -> None:
    server.turn(kind="requires_action")
    intent = server.pay()
    assert intent.status == "requires_action"
    httpx.post(f"{server.url}/authenticate/{intent.id}", data={"answer": "yes"}).raise_for_status()
    assert server.client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


@pytest.mark.parametrize(
    ("succeeds", "status", "money"), [(True, "succeeded", 1), (False, "requires_payment_method", 0)]
)
def test_a_processing_payment_ends_either_way(server: StripeServer, succeeds: bool, status: str, money: int) -> None:
    server.turn(kind="processing")
    intent = server.pay()
    server.control("POST", f"payment_intents/{intent.id}/settle", succeeds=succeeds)
    assert server.client.v1.payment_intents.retrieve(intent.id).status == status
    assert len(server.money()) == money


def test_a_canceled_intent_cannot_be_confirmed(server: StripeServer) -> None:
    intent = server.client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    assert server.client.v1.payment_intents.cancel(intent.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError) as caught:
        server.client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert caught.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize("amount", [0, 49, 100_000_000])
def test_amounts_have_bounds(server: StripeServer, amount: int) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        server.pay(amount)
    assert server.client.v1.payment_intents.list().data == []


def test_partial_refunds_add_up_and_no_more(server: StripeServer) -> None:
    intent = server.pay(2000)
    for amount in (500, 700):
        server.client.v1.refunds.create({"payment_intent": intent.id, "amount": amount})
    with pytest.raises(stripe.InvalidRequestError):
        server.client.v1.refunds.create({"payment_intent": intent.id, "amount": 801})
    server.client.v1.refunds.create({"payment_intent": intent.id})
    charge = server.client.v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.refunded, charge.amount_refunded) == (True, 2000)
    assert sum(amount for _, amount in server.money()) == 0


def test_a_refund_that_fails_brings_the_money_back(server: StripeServer) -> None:
    intent = server.pay(2000)
    refund = server.client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    server.control("POST", f"refunds/{refund.id}/settle", succeeds=False)
    assert server.client.v1.refunds.retrieve(refund.id).status == "failed"
    assert server.money() == [("payment", 2000), ("refund", -500), ("refund_failed", 500)]


def test_a_dispute_moves_money_once_each_way(server: StripeServer) -> None:
    intent = server.pay(2000)
    dispute = server.control("POST", "disputes", payment_intent=intent.id)
    for phase in ("withdraw", "reinstate", "win"):
        server.control("POST", f"disputes/{dispute['id']}/{phase}")
    assert server.client.v1.disputes.retrieve(dispute["id"]).status == "won"
    assert [amount for _, amount in server.money()] == [2000, -2000, 2000]
    with pytest.raises(httpx.HTTPStatusError):
        server.control("POST", f"disputes/{dispute['id']}/reinstate")


def test_payments_are_found_by_metadata_customer_and_time(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "b@example.com"}).id
    wanted = server.pay(customer=customer, metadata={"attempt": "a7"})
    server.pay(metadata={"attempt": "a8"})
    api = server.client.v1.payment_intents
    assert [one.id for one in api.search({"query": "metadata['attempt']:'a7' AND status:'succeeded'"})] == [wanted.id]
    assert [one.id for one in api.list({"customer": customer})] == [wanted.id]
    assert api.list({"created": {"gt": wanted.created + 60}}).data == []


def test_lists_are_paged_without_gap_or_repetition(server: StripeServer) -> None:
    made = [server.client.v1.customers.create({"email": f"{n}@example.com"}).id for n in range(5)]
    found = [one.id for one in server.client.v1.customers.list({"limit": 2}).auto_paging_iter()]
    assert found == made[::-1]


def test_references_can_be_expanded(server: StripeServer) -> None:
    intent = server.pay()
    found = server.client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge", "customer"]})
    assert isinstance(found.latest_charge, stripe.Charge)
    assert isinstance(found.customer, stripe.Customer)


def test_cards_belong_to_a_customer_until_detached(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "c@example.com"}).id
    card = server.client.v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    again = server.client.v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    assert card.card is not None
    assert again.card is not None
    assert card.card.fingerprint == again.card.fingerprint
    assert len(server.client.v1.customers.payment_methods.list(customer).data) == 2
    server.client.v1.payment_methods.detach(card.id)
    with pytest.raises(stripe.InvalidRequestError):
        server.pay(customer=customer, payment_method=card.id)


def test_customers_change_and_go(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "d@example.com", "metadata": {"a": "1", "b": "2"}})
    changed = server.client.v1.customers.update(customer.id, {"name": "Ada", "metadata": {"a": "", "c": "3"}})
    assert (changed.name, changed.to_dict()["metadata"]) == ("Ada", {"b": "2", "c": "3"})
    server.client.v1.customers.delete(customer.id)
    with pytest.raises(stripe.InvalidRequestError):
        server.client.v1.customers.retrieve(customer.id)


def test_the_same_key_gives_the_same_answer_and_no_second_charge(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "e@example.com"}).id
    params = {"amount": 700, "currency": "usd", "customer": customer, "payment_method": "pm_card_visa", "confirm": True}
    ids = [
        server.client.v1.payment_intents.create(params, {"idempotency_key": "k1"}).id  # type: ignore[arg-type]
        for _ in range(3)
    ]
    assert (len(set(ids)), server.money()) == (1, [("payment", 700)])


def test_one_key_at_the_same_moment_charges_once(server: StripeServer) -> None:
    customer = server.client.v1.customers.create({"email": "f@example.com"}).id
    form = {
        "amount": "700",
        "currency": "usd",
        "customer": customer,
        "payment_method": "pm_card_visa",
        "confirm": "true",
    }
    headers = {"Authorization": "Bearer sk_test_key", "Idempotency-Key": "k2"}
    barrier = threading.Barrier(8)

    def charge() -> None:
        barrier.wait()
        httpx.post(f"{server.url}/v1/payment_intents", data=form, headers=headers, timeout=30).raise_for_status()

    threads = [threading.Thread(target=charge) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.money() == [("payment", 700)]


def test_a_key_with_other_content_is_refused(server: StripeServer) -> None:
    create = server.client.v1.customers.create
    create({"email": "g@example.com"}, {"idempotency_key": "k3"})
    with pytest.raises(stripe.IdempotencyError):
        create({"email": "h@example.com"}, {"idempotency_key": "k3"})


def test_a_500_is_kept_for_its_key_and_hides_what_was_done(server: StripeServer) -> None:
    server.turn(kind="status", status=500, effect=True, match="POST /v1/payment_intents")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            server.pay_with_key("k4")
    assert server.money() == [("payment", 700)]


def test_a_429_is_not_kept(server: StripeServer) -> None:
    server.turn(kind="status", status=429, match="POST /v1/payment_intents")
    with pytest.raises(stripe.RateLimitError):
        server.pay_with_key("k5")
    assert server.pay_with_key("k5").status == "succeeded"


def test_a_lost_answer_is_found_again_by_its_key(server: StripeServer) -> None:
    server.turn(kind="lost", match="POST /v1/payment_intents")
    with pytest.raises(stripe.APIConnectionError):
        server.pay_with_key("k6")
    assert server.pay_with_key("k6").status == "succeeded"
    assert server.money() == [("payment", 700)]


def test_after_a_day_a_key_is_forgotten(server: StripeServer) -> None:
    first = server.pay_with_key("k7")
    server.control("DELETE", "idempotency")
    assert server.pay_with_key("k7").id != first.id


def test_a_hanging_call_closes_without_an_answer(server: StripeServer) -> None:
    server.turn(kind="hang", seconds=0.05, match="GET /v1/balance")
    with pytest.raises(stripe.APIConnectionError):
        server.client.v1.balance.retrieve()


def test_a_wrong_key_is_refused(server: StripeServer) -> None:
    other = stripe.StripeClient("sk_test_other", base_addresses={"api": server.url}, max_network_retries=0)
    with pytest.raises(stripe.AuthenticationError):
        other.v1.balance.retrieve()


def test_what_is_not_there_is_404(server: StripeServer) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        server.client.v1.payment_intents.retrieve("pi_none")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "stripe.sqlite3"
    with stripe_server(store=Store(path)) as server:
        intent = server.pay(900)
    with stripe_server(store=Store(path)) as server:
        assert server.client.v1.payment_intents.retrieve(intent.id).amount == 900
        assert server.client.v1.balance.retrieve().available[0].amount == 900
