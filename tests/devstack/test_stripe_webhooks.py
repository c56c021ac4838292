"""The Stripe stand-in's webhooks: genuine by default, wrong on demand, delivered in the end."""

import itertools
import json
import time
from collections.abc import Iterator

import pytest

from devstack.standins.stripe import webhooks
from devstack.standins.stripe.world import World
from tests.devstack.stripe_server import StripeServer, stripe_server

PAYMENT = {"charge.succeeded", "payment_intent.created", "payment_intent.succeeded", "customer.created"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeServer]:
    monkeypatch.setattr(webhooks, "FIRST_PAUSE_S", 0.05)
    with stripe_server(sends=True) as server:
        yield server


def deliveries(world: World) -> list[tuple[str, str]]:
    rows = world.store.all("SELECT event_id, state FROM deliveries ORDER BY seq")
    return [(world.store.get("event", row["event_id"])["type"], row["state"]) for row in rows]


def is_quiet(server: StripeServer) -> bool:
    return all(state != "pending" for _, state in deliveries(server.world))


def settle(server: StripeServer) -> None:
    deadline = time.monotonic() + 10
    while not is_quiet(server):
        assert time.monotonic() < deadline, deliveries(server.world)
        time.sleep(0.02)


def test_events_arrive_signed_and_in_order(server: StripeServer) -> None:
    intent = server.pay(2000)
    settle(server)
    assert server.endpoint.types == [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]
    assert server.endpoint.events[-1].data.object.id == intent.id
    assert server.endpoint.refused == []


def test_an_endpoint_that_fails_is_asked_again(server: StripeServer) -> None:
    server.endpoint.statuses = [500, 503]
    server.client.v1.customers.create({"email": "a@example.com"})
    settle(server)
    assert server.endpoint.types == ["customer.created"]


def test_an_event_can_come_twice(server: StripeServer) -> None:
    server.turn(kind="duplicate", match="customer.created", count=3)
    server.client.v1.customers.create({"email": "a@example.com"})
    settle(server)
    assert len({event.id for event in server.endpoint.events}) == 1
    assert len(server.endpoint.events) == 3


def test_a_change_can_come_as_two_events(server: StripeServer) -> None:
    server.turn(kind="new_id", match="customer.created")
    server.client.v1.customers.create({"email": "a@example.com"})
    settle(server)
    ids = {event.id for event in server.endpoint.events}
    objects = {event.data.object.id for event in server.endpoint.events}
    assert (len(ids), len(objects)) == (2, 1)


def test_a_dropped_event_never_comes_but_is_listed(server: StripeServer) -> None:
    server.turn(kind="drop", times=None)
    server.pay()
    settle(server)
    assert server.endpoint.events == []
    assert {event.type for event in server.client.v1.events.list()} == PAYMENT


def test_held_events_leave_in_the_order_of_the_release(server: StripeServer) -> None:
    server.turn(kind="hold", times=None)
    server.pay()
    orders = list(itertools.permutations([event.id for event in server.client.v1.events.list()]))
    chosen = orders[len(orders) // 2]
    server.control("POST", "deliveries/release", order=list(chosen))
    settle(server)
    assert tuple(event.id for event in server.endpoint.events) == chosen


def test_held_events_leave_reversed(server: StripeServer) -> None:
    server.turn(kind="hold", times=None)
    server.pay()
    server.control("POST", "deliveries/release", order="reversed")
    settle(server)
    assert server.endpoint.types[0] == "payment_intent.succeeded"


def test_a_delayed_event_comes_later(server: StripeServer) -> None:
    server.turn(kind="delay", match="payment_intent.created", seconds=0.3)
    server.pay()
    settle(server)
    assert server.endpoint.types[-1] == "payment_intent.created"


@pytest.mark.parametrize(
    ("knob", "refusal"),
    [
        ({"kind": "old_timestamp", "seconds": 301}, "SignatureVerificationError"),
        ({"kind": "wrong_secret"}, "SignatureVerificationError"),
        ({"kind": "no_signature"}, "SignatureVerificationError"),
        ({"kind": "broken_json"}, "JSONDecodeError"),
    ],
)
def test_a_flawed_delivery_is_refused_and_its_retry_is_genuine(
    server: StripeServer, knob: dict[str, object], refusal: str
) -> None:
    server.turn(match="customer.created", **knob)
    server.client.v1.customers.create({"email": "a@example.com"})
    settle(server)
    assert (server.endpoint.refused, server.endpoint.types) == ([refusal], ["customer.created"])


def test_two_signatures_of_which_one_is_right_are_accepted(server: StripeServer) -> None:
    server.turn(kind="two_signatures", match="customer.created")
    server.client.v1.customers.create({"email": "a@example.com"})
    settle(server)
    assert (server.endpoint.refused, server.endpoint.types) == ([], ["customer.created"])


def test_an_event_can_claim_to_be_live_or_be_far_too_long(server: StripeServer) -> None:
    server.turn(kind="livemode", match="customer.created")
    server.turn(kind="oversize", match="customer.created", count=2_000_000)
    for _ in range(2):
        server.client.v1.customers.create({"email": "a@example.com"})
    settle(server)
    assert server.endpoint.events[0].livemode is True
    assert len(json.dumps(server.endpoint.events[1].to_dict())) > 2_000_000


def test_an_event_can_be_sent_again_on_request(server: StripeServer) -> None:
    server.client.v1.customers.create({"email": "a@example.com"})
    settle(server)
    server.control("POST", f"events/{server.endpoint.events[0].id}/deliver")
    settle(server)
    assert len(server.endpoint.events) == 2


def test_refunds_and_disputes_are_announced(server: StripeServer) -> None:
    intent = server.pay()
    refund = server.client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    server.control("POST", f"refunds/{refund.id}/settle", succeeds=False)
    dispute = server.control("POST", "disputes", payment_intent=intent.id)
    server.control("POST", f"disputes/{dispute['id']}/withdraw")
    server.control("POST", f"disputes/{dispute['id']}/lose")
    settle(server)
    assert server.endpoint.types[4:] == [
        *("refund.created", "charge.refunded", "refund.updated", "refund.failed"),
        *("charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.closed"),
    ]


def test_internal_fields_never_leave(server: StripeServer) -> None:
    session = server.open_session()
    server.control("POST", f"checkout/{session.id}/pay")
    settle(server)
    assert not [name for event in server.endpoint.events for name in event.data.object.to_dict() if name[0] == "_"]
    assert "_items" not in session.to_dict()


def test_the_target_can_be_moved(server: StripeServer) -> None:
    server.control("POST", "webhooks", url="http://127.0.0.1:9/", secret="whsec_other")
    assert (server.world.webhook_url, server.world.webhook_secret) == ("http://127.0.0.1:9/", "whsec_other")


@pytest.mark.parametrize("knob", [{"kind": "nonsense"}, {"kind": "drop", "times": 0}, {"kind": "drop", "colour": 1}])
def test_a_knob_that_makes_no_sense_is_refused(server: StripeServer, knob: dict[str, object]) -> None:
    with pytest.raises(Exception, match="400"):
        server.turn(**knob)
