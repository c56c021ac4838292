"""Stripe's deliveries over the wire, with everything that happens to them on the way."""

import time
from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from apps.billing.models import ReserveLedgerEntry, StripeEvent
from apps.billing.payment_types import StripeEventState
from apps.billing.services.payments.checkout import start_topup
from apps.billing.services.payments.inbox import work_events
from apps.common import clock
from apps.tenants.types import Actor
from devstack.standins.stripe import webhooks
from tests.factories.accounts import make_actor
from tests.factories.billing import get_account
from tests.stripe_world import WEBHOOK_PATH, StripeWorld

pytestmark = pytest.mark.django_db(transaction=True)

PAID = "payment_intent.succeeded"


@pytest.fixture
def sending(stripe: StripeWorld, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[StripeWorld]:
    """A stand-in that delivers to our webhook by itself, and tries again soon."""
    monkeypatch.setattr(webhooks, "FIRST_PAUSE_S", 0.05)
    stripe.world.webhook_url = f"{live_server.url}{WEBHOOK_PATH}"
    sender = webhooks.Sender(stripe.world)
    sender.start()
    yield stripe
    sender.stop()


def pay(actor: Actor, stripe: StripeWorld) -> None:
    started = start_topup(actor=actor, amount_cents=2000, saves_card=False, request_key="key", now=clock.now())
    stripe.pay(started.session_id)


def wait_until_delivered(stripe: StripeWorld) -> list[dict[str, object]]:
    """All deliveries, once none is under way."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        deliveries: list[dict[str, object]] = stripe.control("GET", "deliveries")["deliveries"]
        if not any(one["state"] == "pending" for one in deliveries):
            return deliveries
        time.sleep(0.05)
    raise AssertionError("The stand-in still delivers.")


@pytest.mark.parametrize(
    "knob",
    [
        pytest.param({"kind": "duplicate", "count": 5}, marks=pytest.mark.failure("M02")),
        pytest.param({"kind": "new_id"}, marks=pytest.mark.failure("M03")),
        pytest.param({"kind": "wrong_secret"}, marks=pytest.mark.failure("M05")),
        pytest.param({"kind": "no_signature"}, marks=pytest.mark.failure("M05")),
        pytest.param({"kind": "two_signatures"}, marks=pytest.mark.failure("M05")),
        pytest.param({"kind": "old_timestamp", "seconds": 301}, marks=pytest.mark.failure("M06")),
        pytest.param({"kind": "broken_json"}, marks=pytest.mark.failure("M07")),
        pytest.param({"kind": "oversize", "count": 2_000_000}, marks=pytest.mark.failure("M08")),
        pytest.param({"kind": "delay", "seconds": 0.3}, marks=pytest.mark.failure("M09")),
    ],
    ids=lambda knob: str(knob["kind"]),
)
def test_whatever_befalls_a_delivery_the_payment_is_credited_once(
    sending: StripeWorld, knob: dict[str, object]
) -> None:
    actor = make_actor()
    sending.turn(match=PAID, **knob)
    sending.turn(kind="drop", match="checkout.session.completed")
    pay(actor, sending)
    wait_until_delivered(sending)
    work_events(clock=clock.now)
    assert get_account(actor.tenant).balance_micros == 20_000_000
    assert ReserveLedgerEntry.objects.count() == 1
    assert {*StripeEvent.objects.values_list("state", flat=True)} == {StripeEventState.DONE, StripeEventState.IGNORED}


@pytest.mark.failure("M05", "M06", "M07", "M08")
def test_what_was_refused_is_delivered_again_and_nothing_of_the_refused_is_kept(sending: StripeWorld) -> None:
    sending.turn(kind="broken_json", match=PAID)
    pay(make_actor(), sending)
    deliveries = wait_until_delivered(sending)
    attempts = {delivery["attempts"] for delivery in deliveries}
    assert attempts == {1, 2}
    assert StripeEvent.objects.count() == len(deliveries)


@pytest.mark.failure("M09")
def test_messages_that_were_held_and_come_in_reverse_credit_once(sending: StripeWorld) -> None:
    actor = make_actor()
    sending.turn(kind="hold", times=None)
    pay(actor, sending)
    sending.control("POST", "deliveries/release", order="reversed")
    wait_until_delivered(sending)
    work_events(clock=clock.now)
    assert get_account(actor.tenant).balance_micros == 20_000_000
