"""Topping a reserve up at Stripe's page: the page, the payment, the credit, each once."""

from datetime import timedelta
from functools import partial

import pytest
from django.conf import LazySettings

from apps.billing.models import BillingDocument, BillingProfile, PaymentAttempt, ReserveLedgerEntry
from apps.billing.payment_types import (
    CheckoutStarted,
    PaymentsNotSetUp,
    PaymentState,
    PaymentUnavailable,
    TopupOutOfBounds,
    UnknownPayment,
)
from apps.billing.services.payments.checkout import cancel_topup, start_topup
from apps.billing.services.payments.looking import confirm_topup, look_at_attempt, look_at_due
from apps.billing.types import IdempotencyMismatch
from apps.common import clock
from apps.common.failpoints import FailpointReached
from apps.common.states import WrongState
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor
from tests.factories.billing import get_account
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor(stripe: StripeWorld) -> Actor:
    assert stripe.url
    return make_actor()


def start(actor: Actor, *, cents: int = 2500, key: str = "key-1", saves_card: bool = False) -> CheckoutStarted:
    return start_topup(actor=actor, amount_cents=cents, saves_card=saves_card, request_key=key, now=clock.now())


def confirm(actor: Actor, started: CheckoutStarted) -> PaymentAttempt:
    attempt_id = confirm_topup(actor=actor, session_id=started.session_id, now=clock.now())
    return PaymentAttempt.objects.get(pk=attempt_id)


def test_a_page_that_is_paid_becomes_a_credit_and_a_receipt(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor)
    assert started.checkout_url.startswith("http")
    stripe.pay(started.session_id)
    attempt = confirm(actor, started)
    assert (attempt.state, attempt.amount_micros, attempt.card_last4) == (PaymentState.SUCCEEDED, 25_000_000, "4242")
    assert get_account(actor.tenant).balance_micros == 25_000_000
    assert BillingDocument.objects.get(tenant_id=actor.tenant).amount_micros == 25_000_000
    assert stripe.money() == [("payment", 2500)]


@pytest.mark.failure("M01")
def test_coming_back_twice_credits_once(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor)
    stripe.pay(started.session_id)
    assert [confirm(actor, started).state, confirm(actor, started).state] == [PaymentState.SUCCEEDED] * 2
    assert ReserveLedgerEntry.objects.filter(tenant_id=actor.tenant).count() == 1


def test_coming_back_without_having_paid_changes_nothing(actor: Actor) -> None:
    started = start(actor)
    assert confirm(actor, started).state == PaymentState.OPEN
    assert get_account(actor.tenant).balance_micros == 0


def test_the_page_of_somebody_else_is_not_found(actor: Actor) -> None:
    started = start(actor)
    with pytest.raises(UnknownPayment):
        confirm_topup(actor=make_actor(), session_id=started.session_id, now=clock.now())


def test_the_same_key_finds_the_same_page(actor: Actor, stripe: StripeWorld) -> None:
    assert start(actor) == start(actor)
    assert len(stripe.objects("checkout.session")) == 1
    with pytest.raises(IdempotencyMismatch):
        start(actor, cents=2600)


@pytest.mark.failure("M27", "M29")
@pytest.mark.parametrize("cents", [0, -1, 499, 50_001, True, 10**20])
def test_an_amount_out_of_bounds_is_refused_before_anything_happens(
    actor: Actor, stripe: StripeWorld, cents: int
) -> None:
    with pytest.raises(TopupOutOfBounds) as refused:
        start(actor, cents=cents)
    assert "amount_cents" in refused.value.fields
    assert not PaymentAttempt.objects.exists()
    assert stripe.requests() == []


def test_without_a_key_nothing_can_be_paid(actor: Actor, settings: LazySettings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(PaymentsNotSetUp):
        start(actor)
    assert not PaymentAttempt.objects.exists()


def test_a_customer_is_made_once(actor: Actor, stripe: StripeWorld) -> None:
    start(actor, key="a")
    start(actor, key="b")
    [customer] = stripe.objects("customer")
    assert BillingProfile.objects.get(tenant_id=actor.tenant).stripe_customer_id == customer["id"]


def test_a_card_is_kept_when_the_customer_says_so(actor: Actor, stripe: StripeWorld) -> None:
    for key, saves_card in (("a", False), ("b", True)):
        assert BillingProfile.objects.get(tenant_id=actor.tenant).payment_method_id == ""
        started = start(actor, key=key, saves_card=saves_card)
        stripe.pay(started.session_id)
        confirm(actor, started)
    profile = BillingProfile.objects.get(tenant_id=actor.tenant)
    assert (profile.card_brand, profile.card_last4, profile.card_exp_year) == ("visa", "4242", 2034)
    assert profile.payment_method_id.startswith("pm_")


def test_a_declined_card_leaves_the_page_open_for_another(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor)
    stripe.pay(started.session_id, card="pm_card_chargeDeclined")
    assert confirm(actor, started).state == PaymentState.OPEN
    stripe.pay(started.session_id)
    assert confirm(actor, started).state == PaymentState.SUCCEEDED


@pytest.mark.failure("M26")
@pytest.mark.parametrize(
    ("succeeds", "state", "micros"), [(True, PaymentState.SUCCEEDED, 25_000_000), (False, PaymentState.FAILED, 0)]
)
def test_a_payment_that_takes_days_is_credited_when_it_has_arrived(
    actor: Actor, stripe: StripeWorld, *, succeeds: bool, state: PaymentState, micros: int
) -> None:
    started = start(actor)
    stripe.pay(started.session_id, card="pm_card_processing")
    assert confirm(actor, started).state == PaymentState.OPEN
    assert get_account(actor.tenant).balance_micros == 0
    stripe.settle(started.session_id, succeeds=succeeds)
    assert confirm(actor, started).state == state
    assert get_account(actor.tenant).balance_micros == micros


def test_a_page_can_be_closed_by_the_customer(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor)
    assert cancel_topup(actor=actor, payment_id=started.attempt_id, now=clock.now()) == PaymentState.CANCELED
    assert stripe.objects("checkout.session")[0]["status"] == "expired"
    with pytest.raises(WrongState):
        cancel_topup(actor=actor, payment_id=started.attempt_id, now=clock.now())
    with pytest.raises(UnknownPayment):
        cancel_topup(actor=make_actor(), payment_id=started.attempt_id, now=clock.now())


def test_closing_a_page_that_was_just_paid_credits_it(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor)
    stripe.pay(started.session_id)
    with pytest.raises(WrongState):
        cancel_topup(actor=actor, payment_id=started.attempt_id, now=clock.now())
    assert get_account(actor.tenant).balance_micros == 25_000_000


@pytest.mark.failure("M17", "N26")
@pytest.mark.parametrize("forgets_keys", [False, True])
def test_a_page_whose_answer_was_lost_is_found_by_the_same_key(
    actor: Actor, stripe: StripeWorld, *, forgets_keys: bool
) -> None:
    stripe.turn(kind="lost", match="POST /v1/checkout/sessions")
    with pytest.raises(PaymentUnavailable):
        start(actor)
    assert PaymentAttempt.objects.get().state == PaymentState.AMBIGUOUS
    if forgets_keys:
        stripe.forget_keys()
    started = start(actor)
    assert len(stripe.objects("checkout.session")) == 1
    stripe.pay(started.session_id)
    assert confirm(actor, started).state == PaymentState.SUCCEEDED


@pytest.mark.failure("M17", "N27")
def test_a_page_whose_answer_was_lost_is_found_by_the_janitor(actor: Actor, stripe: StripeWorld) -> None:
    stripe.turn(kind="lost", match="POST /v1/checkout/sessions")
    with pytest.raises(PaymentUnavailable):
        start(actor)
    stripe.pay(stripe.objects("checkout.session")[0]["id"])
    assert look_at_due(clock=lambda: clock.now() + timedelta(minutes=3)) == 1
    assert get_account(actor.tenant).balance_micros == 25_000_000


@pytest.mark.failure("M18")
def test_a_page_that_we_forgot_to_note_is_found_again(
    actor: Actor, stripe: StripeWorld, settings: LazySettings
) -> None:
    settings.FAILPOINTS = {"after_stripe_session": "raise"}
    with pytest.raises(FailpointReached):
        start(actor)
    settings.FAILPOINTS = {}
    attempt = PaymentAttempt.objects.get()
    assert (attempt.state, attempt.stripe_session_id) == (PaymentState.CREATED, None)
    stripe.pay(stripe.objects("checkout.session")[0]["id"])
    assert look_at_attempt(attempt_id=attempt.id, now=clock.now()) == PaymentState.SUCCEEDED
    assert stripe.money() == [("payment", 2500)]


@pytest.mark.failure("M22")
def test_an_error_that_stripe_remembers_is_resolved_by_asking_and_only_then_by_a_new_key(
    actor: Actor, stripe: StripeWorld
) -> None:
    stripe.turn(kind="status", status=500, match="POST /v1/checkout/sessions")
    for _ in range(2):
        with pytest.raises(PaymentUnavailable):
            start(actor)
    attempt = PaymentAttempt.objects.get()
    assert attempt.state == PaymentState.AMBIGUOUS
    assert look_at_attempt(attempt_id=attempt.id, now=clock.now()) == PaymentState.AMBIGUOUS
    later = clock.now() + timedelta(minutes=11)
    assert look_at_attempt(attempt_id=attempt.id, now=later) == PaymentState.CANCELED
    with pytest.raises(WrongState):
        start(actor)
    assert start(actor, key="key-2").checkout_url


@pytest.mark.failure("M22")
def test_a_page_that_was_made_in_spite_of_an_error_is_used(actor: Actor, stripe: StripeWorld) -> None:
    stripe.turn(kind="status", status=500, match="POST /v1/checkout/sessions", effect=True)
    with pytest.raises(PaymentUnavailable):
        start(actor)
    started = start(actor)
    assert started.session_id == stripe.objects("checkout.session")[0]["id"]
    assert len(stripe.objects("checkout.session")) == 1


def test_a_request_that_stripe_refuses_ends_the_payment(actor: Actor, stripe: StripeWorld) -> None:
    stripe.turn(kind="status", status=400, match="POST /v1/checkout/sessions")
    with pytest.raises(PaymentUnavailable):
        start(actor)
    assert PaymentAttempt.objects.get().state == PaymentState.FAILED


def test_a_customer_that_cannot_be_made_leaves_nothing_behind(actor: Actor, stripe: StripeWorld) -> None:
    for status in (400, 500):
        stripe.turn(kind="status", status=status, match="POST /v1/customers")
        with pytest.raises(PaymentUnavailable):
            start(actor, key=f"key-{status}")
    assert not PaymentAttempt.objects.exists()


def test_a_page_that_nobody_pays_ends_with_its_time(actor: Actor, stripe: StripeWorld) -> None:
    started = start(actor)
    session = stripe.world.store.get("checkout.session", started.session_id)
    stripe.world.store.save({**session, "expires_at": stripe.world.now() - 1})
    assert look_at_due(clock=lambda: clock.now() + timedelta(hours=25)) == 1
    attempt = PaymentAttempt.objects.get()
    assert (attempt.state, attempt.look_at, attempt.checkout_url) == (PaymentState.CANCELED, None, "")


def test_the_janitor_asks_ever_more_seldom(actor: Actor) -> None:
    start(actor)
    first = clock.now() + timedelta(minutes=2)
    looked = [look_at_due(clock=partial(first.__add__, timedelta(seconds=after))) for after in (0, 120, 181)]
    assert looked == [1, 0, 1]


def test_a_janitor_that_finds_stripe_away_comes_back(actor: Actor, stripe: StripeWorld) -> None:
    start(actor)
    stripe.turn(kind="status", status=500, match="GET /v1/checkout/sessions")
    later = clock.now() + timedelta(minutes=3)
    assert look_at_due(clock=lambda: later) == 1
    attempt = PaymentAttempt.objects.get()
    assert attempt.state == PaymentState.OPEN
    assert attempt.look_at is not None
    assert attempt.look_at > later


def test_an_unknown_payment_cannot_be_looked_at(actor: Actor) -> None:
    with pytest.raises(UnknownPayment):
        look_at_attempt(attempt_id=actor.user_id, now=clock.now())
