"""Money of the whole house over HTTP."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from apps.billing.models import BillingAuditLog, PaymentRefund, StripeEvent
from apps.billing.selectors_payments import get_stripe_event
from apps.billing.services.payments.disputes import take_dispute
from apps.billing.stripe_gateway import get_gateway
from apps.billing.types import Policy
from apps.common import clock
from apps.common.errors import NotFound
from apps.common.ids import uuid7
from apps.tenants.types import Actor
from tests.api_client import client_for, with_key
from tests.factories.accounts import make_actor, make_staff
from tests.factories.billing import fund, get_account, make_hold, make_payment, publish_prices, settle
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.django_db

ADMIN = "/api/billing/admin/"
SUMMARY, COSTS = f"{ADMIN}reserve/summary/", f"{ADMIN}usage/costs/"
PAYMENTS, REFUNDS = f"{ADMIN}payments/", f"{ADMIN}refunds/"
EVENTS, DISPUTES = f"{ADMIN}stripe-events/", f"{ADMIN}disputes/"
EXPORT = f"{ADMIN}ledger/export.csv"


@pytest.fixture
def staff() -> Actor:
    return make_staff()


@pytest.fixture
def customer() -> Actor:
    return make_actor()


@pytest.mark.parametrize("address", [SUMMARY, COSTS, PAYMENTS, EVENTS, DISPUTES, EXPORT])
def test_only_staff_with_a_second_factor_see_the_house(customer: Actor, staff: Actor, address: str) -> None:
    assert client_for(customer).get(address).status_code == 403
    assert client_for(staff, has_second_factor=False).get(address).json()["code"] == "second_factor_required"
    assert client_for(staff).get(address).status_code == 200


def test_the_summary(customer: Actor, staff: Actor) -> None:
    fund(customer.tenant, 500_000)
    summary = client_for(staff).get(SUMMARY).json()
    assert (summary["balance_micros"], summary["liability_micros"], summary["debt_micros"]) == (500_000, 500_000, 0)
    assert {"tenant", "balance_micros", "available_micros", "level", "policy"} == set(summary["low"][0])
    assert (summary["last_proof"], summary["last_reconcile"], summary["open_disputes"]) == (None, None, 0)


def test_costs_by_customer(customer: Actor, staff: Actor) -> None:
    publish_prices()
    fund(customer.tenant, 1_000_000)
    settle(make_hold(customer.tenant, 1000), 500, now=clock.now())
    answer = client_for(staff).get(COSTS, {"group_by": "tenant"}).json()
    [group] = answer["groups"]
    assert (group["key"], group["price_micros"], group["provider_cost_micros"]) == (str(customer.tenant), 500, 200)
    assert (group["margin_micros"], answer["total"]["margin_micros"]) == (300, 300)


@pytest.mark.parametrize(
    ("address", "query"),
    [
        (COSTS, {"group_by": "moon"}),
        (COSTS, {"from": "soon"}),
        (PAYMENTS, {"state": "lost"}),
        (PAYMENTS, {"tenant": "me"}),
        (EVENTS, {"state": "new"}),
        (EXPORT, {"tenant": "me"}),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(staff: Actor, address: str, query: dict[str, str]) -> None:
    answer = client_for(staff).get(address, query)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(query))


def set_policy(staff: Actor, tenant: Any, **wish: Any) -> Any:
    return client_for(staff).patch(f"{ADMIN}reserve/{tenant}/policy/", wish)


def test_staff_fix_a_policy_and_the_owner_cannot_change_it(customer: Actor, staff: Actor) -> None:
    answer = set_policy(staff, customer.tenant, policy="block", is_policy_fixed=True, floor_micros=0, reason="Owes us")
    assert answer.json() == {"policy": "block", "floor_micros": 0, "is_policy_fixed": True}
    assert get_account(customer.tenant).policy == Policy.BLOCK
    assert BillingAuditLog.objects.filter(tenant_id=customer.tenant, reason="Owes us").exists()
    refused = client_for(customer).patch("/api/billing/profile/", {"policy": "warn"})
    assert (refused.status_code, refused.json()["code"]) == (403, "policy_fixed")


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"floor_micros": 1}, "floor_micros"),
        ({"floor_micros": -(10**16)}, "floor_micros"),
        ({"policy": "never"}, "policy"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(
    customer: Actor, staff: Actor, wish: dict[str, Any], field: str
) -> None:
    answer = set_policy(staff, customer.tenant, **{"reason": "Why not", **wish})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_the_policy_of_nobody_is_not_found(staff: Actor) -> None:
    assert set_policy(staff, uuid7(), policy="block", reason="Owes us").status_code == 404


def test_payments_of_all_customers_with_their_names(customer: Actor, staff: Actor) -> None:
    payment = make_payment(customer.tenant, 5_000_000)
    make_payment(make_actor().tenant, 7_000_000)
    rows = client_for(staff).get(PAYMENTS, {"state": "succeeded"}).json()["results"]
    assert [row["amount_micros"] for row in rows] == [7_000_000, 5_000_000]
    [row] = client_for(staff).get(PAYMENTS, {"tenant": str(customer.tenant)}).json()["results"]
    assert (row["id"], row["tenant"]["id"]) == (str(payment.id), str(customer.tenant))
    assert "checkout_url" not in row
    assert client_for(staff).get(f"{PAYMENTS}{payment.id}/").json() == row
    assert client_for(staff).get(f"{PAYMENTS}{uuid7()}/").status_code == 404


def test_a_payment_that_is_nobodys_is_not_found(staff: Actor) -> None:
    assert client_for(staff).get(f"{PAYMENTS}{uuid7()}/").status_code == 404


@pytest.mark.parametrize("address", [PAYMENTS, EVENTS, DISPUTES])
def test_a_page_of_a_list_takes_one_query(
    customer: Actor, staff: Actor, address: str, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        make_payment(customer.tenant)
        make_event()
    client = client_for(staff)
    client.get(address)
    with django_assert_num_queries(2):
        client.get(address)


@pytest.fixture
def paid(customer: Actor, stripe: StripeWorld) -> str:
    """A top-up of $25 that was paid."""
    client = client_for(customer)
    started = client.post("/api/billing/topup/session/", {"amount_cents": 2500}).json()
    stripe.pay(started["session_id"])
    client.post("/api/billing/topup/confirm/", {"session_id": started["session_id"]})
    return str(started["payment_id"])


def refund(staff: Actor, payment: str, key: str = "r1", **wish: Any) -> Any:
    body = {"payment": payment, "reason": "Paid by mistake", **wish}
    return client_for(staff).post(REFUNDS, body, **with_key(key))


@pytest.mark.failure("M44")
def test_a_refund_that_is_clicked_twice_is_made_once(
    customer: Actor, staff: Actor, paid: str, stripe: StripeWorld
) -> None:
    first, again = refund(staff, paid, amount_cents=1000), refund(staff, paid, amount_cents=1000)
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 201, first.json()["id"])
    assert (first.json()["amount_micros"], first.json()["payment_id"]) == (10_000_000, paid)
    assert stripe.money() == [("payment", 2500), ("refund", -1000)]
    assert get_account(customer.tenant).balance_micros == 15_000_000


@pytest.mark.failure("M15")
def test_the_same_key_never_refunds_another_amount(staff: Actor, paid: str, stripe: StripeWorld) -> None:
    refund(staff, paid, amount_cents=1000)
    other = refund(staff, paid, amount_cents=900)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    assert stripe.money() == [("payment", 2500), ("refund", -1000)]


def test_without_an_amount_all_that_is_left_goes_back(staff: Actor, paid: str, stripe: StripeWorld) -> None:
    refund(staff, paid, amount_cents=1000)
    assert refund(staff, paid, key="r2").json()["amount_micros"] == 15_000_000
    nothing = refund(staff, paid, key="r3")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_refund")


def test_more_than_was_paid_is_not_refunded(staff: Actor, paid: str, stripe: StripeWorld) -> None:
    answer = refund(staff, paid, amount_cents=2501)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_refund")
    assert not PaymentRefund.objects.exists()


@pytest.mark.failure("M27")
@pytest.mark.parametrize("amount", [0, -1, 1.5, "100", 10**15, True], ids=repr)
def test_a_refund_of_no_amount_is_refused(staff: Actor, amount: Any) -> None:
    answer = refund(staff, str(uuid7()), amount_cents=amount)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["amount_cents"])


def test_a_refund_needs_a_key_a_reason_and_a_recent_proof(staff: Actor) -> None:
    wish = {"payment": str(uuid7()), "reason": "Mistake"}
    assert list(client_for(staff).post(REFUNDS, wish).json()["fields"]) == ["Idempotency-Key"]
    assert list(refund(staff, str(uuid7()), reason=" ").json()["fields"]) == ["reason"]
    stale = client_for(staff, authenticated_at=clock.now() - timedelta(days=1))
    assert stale.post(REFUNDS, wish, **with_key("r1")).json()["code"] == "reauthentication_required"


def test_a_refund_of_an_unknown_payment_is_not_found(staff: Actor, stripe: StripeWorld) -> None:
    assert refund(staff, str(uuid7())).status_code == 404


def make_event(**fields: Any) -> StripeEvent:
    values = {
        "event_id": f"evt_{uuid7().hex}",
        "type": "payment_intent.succeeded",
        "livemode": False,
        "payload": {"secret": "of Stripe's"},
        "state": "parked",
        "received_at": clock.now(),
        **fields,
    }
    return StripeEvent.objects.create(**values)


def test_messages_of_stripe_by_state_and_type_without_their_payload(staff: Actor) -> None:
    parked = make_event()
    make_event(state="done", type="invoice.paid")
    [row] = client_for(staff).get(EVENTS, {"state": "parked"}).json()["results"]
    assert (row["id"], row["event_id"], row["type"]) == (str(parked.id), parked.event_id, parked.type)
    assert "payload" not in row
    assert len(client_for(staff).get(EVENTS, {"type": "invoice.paid"}).json()["results"]) == 1


def test_a_message_of_which_nothing_is_known_is_not_found() -> None:
    with pytest.raises(NotFound):
        get_stripe_event(event_row_id=uuid7())


def test_a_message_is_worked_again(staff: Actor, stripe: StripeWorld) -> None:
    event = make_event()
    answer = client_for(staff).post(f"{EVENTS}{event.id}/retry/")
    assert (answer.status_code, answer.json()["state"]) == (200, "received")
    assert client_for(staff).post(f"{EVENTS}{uuid7()}/retry/").status_code == 404


def test_disputes(customer: Actor, staff: Actor, paid: str, stripe: StripeWorld) -> None:
    intent = stripe.objects("payment_intent")[0]["id"]
    stripe.dispute(intent, amount_cents=2500)
    from_stripe = stripe.objects("dispute")[0]["id"]
    take_dispute(dispute=get_gateway().get_dispute(from_stripe), now=clock.now())
    [row] = client_for(staff).get(DISPUTES).json()["results"]
    assert (row["payment_id"], row["stripe_dispute_id"], row["tenant"]["id"]) == (
        paid,
        from_stripe,
        str(customer.tenant),
    )
    assert row["amount_micros"] == 25_000_000


def read_csv(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_the_ledger_of_all_as_a_file(customer: Actor, staff: Actor) -> None:
    fund(customer.tenant, 10)
    other = make_actor()
    fund(other.tenant, 20)
    rows = read_csv(client_for(staff).get(EXPORT))
    assert [(row["tenant_id"], row["amount_micros"]) for row in rows] == [
        (str(customer.tenant), "10"),
        (str(other.tenant), "20"),
    ]
    assert len(read_csv(client_for(staff).get(EXPORT, {"tenant": str(other.tenant)}))) == 1
    assert read_csv(client_for(staff).get(EXPORT, {"to": "2020-01-01"})) == []
