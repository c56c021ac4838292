"""Stripe's answers and messages at the same moment: real threads, a real server, one effect."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from apps.billing.models import BillingDocument, PaymentAttempt, ReserveLedgerEntry, StripeEvent
from apps.billing.payment_types import CheckoutStarted, PaymentState, StripeEventState
from apps.billing.services.payments.checkout import start_topup
from apps.billing.services.payments.fulfilment import fulfil_payment
from apps.billing.services.payments.inbox import work_events
from apps.billing.services.payments.looking import confirm_topup, look_at_due
from apps.billing.services.payments.reconciling import reconcile
from apps.billing.stripe_gateway import get_gateway
from apps.common import clock
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor
from tests.factories.billing import get_account
from tests.stripe_world import StripeWorld

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

Act = Callable[[], Any]
PAID = 20_000_000


def run_together(acts: Sequence[Act]) -> list[Any]:
    """Runs all at the same moment, each on a connection of its own; an exception is a result."""
    barrier = threading.Barrier(len(acts))

    def run(act: Act) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=20)
            return act()
        except Exception as error:  # noqa: BLE001 - the test judges it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def actor(stripe: StripeWorld) -> Actor:
    assert stripe.url
    return make_actor()


def start(actor: Actor, *, key: str = "key") -> CheckoutStarted:
    return start_topup(actor=actor, amount_cents=2000, saves_card=False, request_key=key, now=clock.now())


def check_paid_once(actor: Actor) -> None:
    assert get_account(actor.tenant).balance_micros == PAID
    assert ReserveLedgerEntry.objects.count() == 1
    assert BillingDocument.objects.count() == 1
    assert PaymentAttempt.objects.get().state == PaymentState.SUCCEEDED


@pytest.mark.failure("M01")
def test_eight_that_credit_one_payment_at_once(actor: Actor, stripe: StripeWorld) -> None:
    payment = get_gateway().get_payment(stripe.pay(start(actor).session_id)["payment_intent"])
    entries = run_together([lambda: fulfil_payment(payment=payment, now=clock.now())] * 8)
    assert Counter(entry.is_replay for entry in entries) == {False: 1, True: 7}
    assert len({entry.id for entry in entries}) == 1
    check_paid_once(actor)


@pytest.mark.failure("M01", "M39")
def test_everybody_who_can_credit_a_payment_at_once(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor)
    stripe.pay(started.session_id)
    stripe.send_all()
    later = clock.now() + timedelta(minutes=3)
    results = run_together(
        [
            lambda: confirm_topup(actor=actor, session_id=started.session_id, now=clock.now()),
            lambda: confirm_topup(actor=actor, session_id=started.session_id, now=clock.now()),
            lambda: work_events(clock=clock.now),
            lambda: work_events(clock=clock.now),
            lambda: look_at_due(clock=lambda: later),
            lambda: look_at_due(clock=lambda: later),
            lambda: reconcile(clock=clock.now).problems,
        ]
    )
    assert [result for result in results if isinstance(result, Exception)] == []
    assert results[-1] == []
    assert {*StripeEvent.objects.values_list("state", flat=True)} <= {StripeEventState.DONE, StripeEventState.IGNORED}
    check_paid_once(actor)


@pytest.mark.failure("M39")
def test_two_workers_never_take_up_the_same_message(actor: Actor, stripe: StripeWorld) -> None:
    for key in "abcd":
        stripe.pay(start(actor, key=key).session_id)
    stripe.send_all()
    worked = run_together([lambda: work_events(clock=clock.now)] * 4)
    assert sum(worked) == len(stripe.events())
    assert {*StripeEvent.objects.values_list("attempts", flat=True)} == {1}
    assert get_account(actor.tenant).balance_micros == 4 * PAID


@pytest.mark.failure("M39")
def test_two_janitors_never_ask_about_the_same_payment(actor: Actor) -> None:
    for key in "abcd":
        start(actor, key=key)
    later = clock.now() + timedelta(minutes=3)
    assert sum(run_together([lambda: look_at_due(clock=lambda: later)] * 4)) == 4
    assert {*PaymentAttempt.objects.values_list("looks", flat=True)} == {1}


@pytest.mark.failure("M02")
def test_one_message_that_comes_in_eight_times_at_once_is_kept_once(actor: Actor, stripe: StripeWorld) -> None:
    stripe.pay(start(actor).session_id)
    [event] = stripe.events("payment_intent.succeeded")
    answers = run_together([lambda: stripe.send(event)] * 8)
    assert Counter(answer.json()["is_new"] for answer in answers) == {True: 1, False: 7}


def test_one_wish_that_is_sent_eight_times_at_once_opens_one_page(actor: Actor, stripe: StripeWorld) -> None:
    started = run_together([lambda: start(actor)] * 8)
    assert {*map(type, started)} == {CheckoutStarted}
    assert len({*started}) == 1
    assert len(stripe.objects("checkout.session")) == 1
    assert len(stripe.objects("customer")) == 1
