"""Money enters a reserve by one way, and only what was asked for."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import LazySettings

from apps.billing.models import BillingDocument, BillingProfile, PaymentAttempt, ReserveLedgerEntry, StripeEvent
from apps.billing.payment_types import PaymentState, StripeEventState, Suspicious
from apps.billing.services.payments.checkout import cancel_topup, start_topup
from apps.billing.services.payments.fulfilment import fulfil_payment
from apps.billing.services.payments.handlers import take_back
from apps.billing.services.payments.inbox import work_events
from apps.billing.services.payments.looking import look_at_attempt, look_at_due, take_payment
from apps.billing.services.payments.reconciling import reconcile
from apps.billing.services.payments.refunds import take_refund
from apps.billing.stripe_gateway import Payment, get_gateway
from apps.billing.types import NoReserve
from apps.common import clock
from apps.common.failpoints import FailpointReached
from apps.common.ids import TenantId
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor
from tests.factories.billing import get_account
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor(stripe: StripeWorld) -> Actor:
    assert stripe.url
    return make_actor()


def start(actor: Actor, *, key: str = "key") -> PaymentAttempt:
    started = start_topup(actor=actor, amount_cents=2000, saves_card=False, request_key=key, now=clock.now())
    return PaymentAttempt.objects.get(pk=started.attempt_id)


def pay(attempt: PaymentAttempt, stripe: StripeWorld) -> Payment:
    return get_gateway().get_payment(stripe.pay(attempt.stripe_session_id or "")["payment_intent"])


def test_a_payment_is_one_entry_by_its_id_and_names_who_paid(actor: Actor, stripe: StripeWorld) -> None:
    payment = pay(start(actor), stripe)
    first = fulfil_payment(payment=payment, now=clock.now())
    again = fulfil_payment(payment=payment, now=clock.now())
    assert first is not None
    assert again == replace(first, is_replay=True)
    entry = ReserveLedgerEntry.objects.get()
    assert (entry.payment_intent_id, entry.actor_id, entry.kind) == (payment.id, actor.user_id, "topup")
    assert BillingDocument.objects.count() == 1


@pytest.mark.failure("M26")
def test_what_has_not_succeeded_is_no_money(actor: Actor, stripe: StripeWorld) -> None:
    payment = pay(start(actor), stripe)
    for status in ("processing", "requires_action", "requires_payment_method", "canceled", "anything"):
        assert fulfil_payment(payment=replace(payment, status=status), now=clock.now()) is None
    assert not ReserveLedgerEntry.objects.exists()


@pytest.mark.failure("M10", "M27", "M29")
@pytest.mark.parametrize(
    "change",
    [
        {"amount_cents": 2001},
        {"currency": "EUR"},
        {"livemode": True},
        {"id": "pi_other", "attempt_id": None},
        {"id": "pi_other", "attempt_id": uuid4()},
        {"id": "pi_other", "customer_id": "cus_other"},
        {"id": "pi_other", "customer_id": ""},
    ],
)
def test_what_does_not_fit_is_refused(actor: Actor, stripe: StripeWorld, change: dict[str, object]) -> None:
    payment = pay(start(actor), stripe)
    with pytest.raises(Suspicious):
        fulfil_payment(payment=replace(payment, **change), now=clock.now())  # type: ignore[arg-type]
    assert not ReserveLedgerEntry.objects.exists()
    assert PaymentAttempt.objects.get().state == PaymentState.OPEN


def test_a_second_payment_of_one_attempt_is_refused(actor: Actor, stripe: StripeWorld) -> None:
    attempt = start(actor)
    payment = pay(attempt, stripe)
    fulfil_payment(payment=payment, now=clock.now())
    other = stripe.charge(payment.customer_id, attempt_id=attempt.id)
    with pytest.raises(Suspicious, match="second"):
        fulfil_payment(payment=get_gateway().get_payment(other["id"]), now=clock.now())
    assert get_account(actor.tenant).balance_micros == 20_000_000


@pytest.mark.failure("M26")
def test_money_that_comes_after_all_is_credited_however_the_payment_had_ended(
    actor: Actor, stripe: StripeWorld
) -> None:
    attempt = start(actor)
    payment = pay(attempt, stripe)
    for state in (PaymentState.CANCELED, PaymentState.FAILED):
        other = start(actor, key=state.value)
        PaymentAttempt.objects.filter(pk=other.pk).update(state=state, closed_at=clock.now(), look_at=None)
        take_payment(payment=pay(other, stripe), now=clock.now())
    fulfil_payment(payment=payment, now=clock.now())
    assert get_account(actor.tenant).balance_micros == 60_000_000
    assert {*PaymentAttempt.objects.values_list("state", flat=True)} == {PaymentState.SUCCEEDED}


@pytest.mark.failure("M09", "M23")
def test_money_that_went_back_before_we_heard_of_its_payment_is_booked_with_it(
    actor: Actor, stripe: StripeWorld
) -> None:
    attempt = start(actor)
    intent = stripe.pay(attempt.stripe_session_id or "", card="pm_card_processing")["payment_intent"]
    look_at_attempt(attempt_id=attempt.id, now=clock.now())
    stripe.settle(attempt.stripe_session_id or "")
    refund = get_gateway().get_refund(stripe.refund(intent, amount_cents=500)["id"])
    take_refund(refund=refund, now=clock.now())
    assert not ReserveLedgerEntry.objects.exists()
    look_at_attempt(attempt_id=attempt.id, now=clock.now())
    assert get_account(actor.tenant).balance_micros == 15_000_000


@pytest.mark.failure("M18")
def test_messages_about_a_page_that_we_forgot_to_note_credit_it(
    actor: Actor, stripe: StripeWorld, settings: LazySettings
) -> None:
    settings.FAILPOINTS = {"after_stripe_session": "raise"}
    with pytest.raises(FailpointReached):
        start(actor)
    settings.FAILPOINTS = {}
    stripe.pay(stripe.objects("checkout.session")[0]["id"])
    stripe.send_all(stripe.events("checkout.session.completed"))
    work_events(clock=clock.now)
    assert StripeEvent.objects.get().state == StripeEventState.DONE
    assert get_account(actor.tenant).balance_micros == 20_000_000


def test_a_payment_that_does_not_fit_does_not_hold_the_janitor_up(
    actor: Actor, stripe: StripeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    wrong, right = start(actor, key="wrong"), start(actor, key="right")
    paid = stripe.world.store.get("payment_intent", pay(wrong, stripe).id)
    stripe.world.store.save({**paid, "currency": "eur"})
    pay(right, stripe)
    later = clock.now() + timedelta(minutes=3)
    assert look_at_due(clock=lambda: later) == 2
    assert get_account(actor.tenant).balance_micros == 20_000_000
    assert "payment.stuck" in caplog.text


def test_a_payment_that_is_neither_ours_nor_money_is_passed_over(actor: Actor, stripe: StripeWorld) -> None:
    payment = pay(start(actor), stripe)
    take_payment(payment=replace(payment, id="pi_other", attempt_id=None, status="canceled"), now=clock.now())
    assert not ReserveLedgerEntry.objects.exists()


def test_money_back_for_no_payment_is_suspicious(actor: Actor) -> None:
    assert actor
    with pytest.raises(Suspicious):
        take_back(payment_id="", take=lambda: None, clock=clock.now)


def test_a_page_whose_payment_failed_ends_with_the_word_of_the_bank(actor: Actor, stripe: StripeWorld) -> None:
    attempt = start(actor)
    stripe.pay(attempt.stripe_session_id or "", card="pm_card_processing")
    stripe.settle(attempt.stripe_session_id or "", succeeds=False)
    assert look_at_attempt(attempt_id=attempt.id, now=clock.now()) == PaymentState.FAILED
    attempt.refresh_from_db()
    assert attempt.failure_code == "generic_decline"
    assert attempt.closed_at is not None


def test_a_payment_that_was_canceled_at_stripe_is_canceled_here(actor: Actor, stripe: StripeWorld) -> None:
    attempt = start(actor)
    intent = stripe.pay(attempt.stripe_session_id or "", card="pm_card_processing")["payment_intent"]
    stripe.api("POST", f"/v1/payment_intents/{intent}/cancel")
    assert look_at_attempt(attempt_id=attempt.id, now=clock.now()) == PaymentState.CANCELED


def test_a_page_that_is_paid_while_it_is_closed_stays_paid(actor: Actor, stripe: StripeWorld) -> None:
    attempt = start(actor)
    assert cancel_topup(actor=actor, payment_id=attempt.id, now=clock.now()) == PaymentState.CANCELED
    # Stripe would not let it be paid any more; should it ever say so, the money is the customer's.
    session = stripe.world.store.get("checkout.session", attempt.stripe_session_id or "")
    intent = stripe.charge(session["customer"], attempt_id=attempt.id)
    assert intent["status"] == "succeeded"
    assert reconcile(clock=clock.now).is_ok
    assert get_account(actor.tenant).balance_micros == 20_000_000


def test_a_tenant_without_a_reserve_pays_nothing(actor: Actor) -> None:
    stranger = replace(actor, tenant=TenantId(uuid4()))
    with pytest.raises(NoReserve):
        start(stranger)
    assert not BillingProfile.objects.filter(stripe_customer_id__isnull=False).exists()
