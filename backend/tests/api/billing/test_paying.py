"""Topping up, cards and plans over HTTP, with the Stripe stand-in behind."""

from typing import Any

import pytest

from apps.accounts.types import READ, TokenKind
from apps.billing.models import PaymentAttempt, ReserveLedgerEntry
from apps.common.ids import uuid7
from apps.tenants.types import Actor, Role
from tests.api_client import client_for, with_key
from tests.factories.accounts import make_actor
from tests.factories.billing import get_account, make_payment
from tests.factories.payments import make_checkout
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.django_db

SESSION = "/api/billing/topup/session/"
CONFIRM = "/api/billing/topup/confirm/"
PAYMENTS = "/api/billing/payments/"
PORTAL = "/api/billing/portal/session/"
SUBSCRIBE = "/api/billing/subscription/session/"
NEVER_A_PRICE: list[Any] = [
    *(0, -1, -2500, 2500.5, 2500.0, 10**18, 10**400, True, None),
    *("2500", "25.00", "NaN", "Infinity", "twenty", "", [2500], {"amount": 2500}),
]


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def start(actor: Actor, key: str = "k1", **wish: Any) -> Any:
    return client_for(actor).post(SESSION, {"amount_cents": 2500, **wish}, **with_key(key))


def test_without_a_key_of_stripes_a_topup_says_that_payments_are_not_set_up(actor: Actor) -> None:
    answer = start(actor)
    assert (answer.status_code, answer.json()["code"]) == (503, "payments_not_set_up")
    assert not PaymentAttempt.objects.exists()


def test_a_topup_from_the_wish_to_the_credit(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor)
    assert (started.status_code, set(started.json())) == (201, {"payment_id", "session_id", "checkout_url"})
    stripe.pay(started.json()["session_id"])
    paid = client_for(actor).post(CONFIRM, {"session_id": started.json()["session_id"]}).json()
    assert (paid["id"], paid["state"], paid["amount_cents"]) == (started.json()["payment_id"], "succeeded", 2500)
    assert (paid["card"], paid["checkout_url"]) == ({"brand": "visa", "last4": "4242"}, None)
    assert paid["document_id"] is not None
    assert get_account(actor.tenant).balance_micros == 25_000_000


@pytest.mark.failure("M15")
def test_the_same_key_leads_to_the_same_page_and_never_to_another_amount(actor: Actor, stripe: StripeWorld) -> None:
    first, again = start(actor), start(actor)
    assert again.json() == first.json()
    other = start(actor, amount_cents=2600)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    assert len(stripe.objects("checkout.session")) == 1


def test_two_people_with_the_same_key_pay_two_times(actor: Actor, stripe: StripeWorld) -> None:
    colleague = make_actor(tenant=actor.tenant, role=Role.MEMBER)
    assert start(actor).json()["payment_id"] != start(colleague).json()["payment_id"]
    assert len(stripe.objects("checkout.session")) == 2


@pytest.mark.failure("M27")
@pytest.mark.parametrize("amount", NEVER_A_PRICE, ids=repr)
def test_what_is_no_amount_is_refused(actor: Actor, stripe: StripeWorld, amount: Any) -> None:
    answer = start(actor, amount_cents=amount)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["amount_cents"])
    assert not stripe.requests(path="/v1/checkout")


@pytest.mark.failure("M27")
@pytest.mark.parametrize("amount", [1, 499, 50_001])
def test_an_amount_outside_the_bounds_is_refused(actor: Actor, stripe: StripeWorld, amount: int) -> None:
    answer = start(actor, amount_cents=amount)
    assert (answer.status_code, answer.json()["code"]) == (400, "topup_out_of_bounds")
    assert list(answer.json()["fields"]) == ["amount_cents"]


@pytest.mark.failure("M27")
@pytest.mark.parametrize("text", ['{"amount_cents": NaN}', '{"amount_cents": Infinity}', '{"amount_cents": 1e400}'])
def test_numbers_that_json_does_not_know_are_refused(actor: Actor, stripe: StripeWorld, text: str) -> None:
    answer = client_for(actor).generic("POST", SESSION, text, content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.failure("M27", "M29")
@pytest.mark.parametrize("currency", ["EUR", "JPY", "usd", "", 840])
def test_another_currency_is_refused(actor: Actor, stripe: StripeWorld, currency: Any) -> None:
    answer = start(actor, currency=currency)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["currency"])


@pytest.mark.failure("M27")
def test_what_else_a_client_says_of_the_price_changes_nothing(actor: Actor, stripe: StripeWorld) -> None:
    start(actor, price=1, unit_amount=1, amount_micros=1, quantity=1000, tenant=str(uuid7()), state="succeeded")
    [attempt] = PaymentAttempt.objects.all()
    assert (attempt.tenant_id, attempt.amount_micros, attempt.state) == (actor.tenant, 25_000_000, "open")
    assert stripe.objects("checkout.session")[0]["amount_total"] == 2500


def test_a_stripe_that_does_not_answer_is_not_a_failure_of_the_customers(actor: Actor, stripe: StripeWorld) -> None:
    stripe.turn(kind="status", status=500, match="POST /v1/checkout/sessions")
    answer = start(actor)
    assert (answer.status_code, answer.json()["code"]) == (503, "payment_unavailable")
    stripe.clear_knobs()
    stripe.forget_keys()
    assert start(actor).status_code == 201
    assert PaymentAttempt.objects.count() == 1


def test_a_page_that_nobody_has_paid_stays_open(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor).json()
    answer = client_for(actor).post(CONFIRM, {"session_id": started["session_id"]}).json()
    assert (answer["state"], answer["checkout_url"]) == ("open", started["checkout_url"])
    assert not ReserveLedgerEntry.objects.filter(tenant_id=actor.tenant).exists()


@pytest.mark.failure("T01")
def test_another_tenants_session_is_not_found(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor).json()
    stripe.pay(started["session_id"])
    answer = client_for(make_actor()).post(CONFIRM, {"session_id": started["session_id"]})
    assert answer.status_code == 404
    assert client_for(actor).post(CONFIRM, {"session_id": "cs_unknown"}).status_code == 404


def test_an_open_payment_can_be_given_up_once(actor: Actor, stripe: StripeWorld) -> None:
    address = f"{PAYMENTS}{start(actor).json()['payment_id']}/cancel/"
    answer = client_for(actor).post(address)
    assert (answer.status_code, answer.json()["state"], answer.json()["checkout_url"]) == (200, "canceled", None)
    again = client_for(actor).post(address)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")


def test_what_was_paid_meanwhile_is_not_given_up(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor).json()
    stripe.pay(started["session_id"])
    answer = client_for(actor).post(f"{PAYMENTS}{started['payment_id']}/cancel/")
    assert answer.status_code == 409
    assert client_for(actor).get(f"{PAYMENTS}{started['payment_id']}/").json()["state"] == "succeeded"


def test_payments_are_listed_newest_first_with_what_came_back(actor: Actor) -> None:
    make_payment(actor.tenant, 5_000_000)
    make_checkout(actor.tenant, cents=700)
    [opened, paid] = client_for(actor).get(PAYMENTS).json()["results"]
    assert (opened["state"], opened["amount_cents"], opened["card"]) == ("open", 700, None)
    assert opened["checkout_url"].startswith("https://")
    assert (paid["state_label"], paid["refunded_micros"], paid["disputed_micros"]) == ("Paid", 0, 0)


def test_a_page_of_payments_takes_one_query_beside_the_token(actor: Actor, django_assert_num_queries: Any) -> None:
    for _ in range(3):
        make_checkout(actor.tenant)
    client = client_for(actor)
    client.get(PAYMENTS)
    with django_assert_num_queries(2):
        client.get(PAYMENTS)


@pytest.mark.failure("T01")
@pytest.mark.parametrize(("method", "tail"), [("get", ""), ("post", "cancel/")])
def test_another_tenants_payment_is_not_found(actor: Actor, stripe: StripeWorld, method: str, tail: str) -> None:
    payment = make_checkout(make_actor().tenant)
    assert getattr(client_for(actor), method)(f"{PAYMENTS}{payment.id}/{tail}").status_code == 404


def test_a_personal_token_may_top_up_when_it_may_write(actor: Actor, stripe: StripeWorld) -> None:
    writer = client_for(actor, kind=TokenKind.PERSONAL)
    assert writer.post(SESSION, {"amount_cents": 2500}).status_code == 201
    reader = client_for(actor, kind=TokenKind.PERSONAL, scopes=(READ,))
    assert reader.post(SESSION, {"amount_cents": 2500}).json()["code"] == "read_only_token"


@pytest.mark.parametrize(("address", "body"), [(PORTAL, {}), (SUBSCRIBE, {"plan": "starter"})])
def test_cards_and_plans_need_an_owner_in_a_session(actor: Actor, address: str, body: dict[str, str]) -> None:
    answer = client_for(actor, kind=TokenKind.PERSONAL).post(address, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "session_required")
    member = make_actor(tenant=actor.tenant, role=Role.MEMBER)
    assert client_for(member).post(address, body).json()["code"] == "forbidden"


def test_the_way_to_the_portal(actor: Actor, stripe: StripeWorld) -> None:
    answer = client_for(actor).post(PORTAL)
    assert (answer.status_code, list(answer.json())) == (201, ["portal_url"])
    assert answer.json()["portal_url"].startswith(stripe.url)


def test_the_way_to_a_plan(actor: Actor, stripe: StripeWorld) -> None:
    answer = client_for(actor).post(SUBSCRIBE, {"plan": "starter"}, **with_key("plan"))
    assert (answer.status_code, set(answer.json())) == (201, {"session_id", "checkout_url"})


@pytest.mark.parametrize("plan", ["free", "enterprise", "gold", ""])
def test_a_plan_that_is_not_for_sale_is_refused(actor: Actor, plan: str) -> None:
    answer = client_for(actor).post(SUBSCRIBE, {"plan": plan})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["plan"])


def test_topups_are_limited(actor: Actor, settings: Any) -> None:
    settings.RATE_LIMITS = {"topup_tenant": (2, 60)}
    answers = [start(actor, key=str(number)).status_code for number in range(3)]
    assert answers == [503, 503, 429]
