"""Staff give a payment back: once, audited, and known in the end whatever Stripe answered."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import LazySettings

from apps.billing.models import BillingAuditLog, PaymentAttempt, PaymentRefund
from apps.billing.payment_types import (
    NothingToRefund,
    PaymentsNotSetUp,
    RefundRefused,
    RefundState,
    RefundView,
    UnknownPayment,
)
from apps.billing.services.payments.disputes import take_dispute
from apps.billing.services.payments.refunds import ask_refund, look_at_due_refunds, take_refund
from apps.billing.stripe_gateway import get_gateway
from apps.billing.types import IdempotencyMismatch
from apps.common.errors import Forbidden, Invalid
from apps.common.failpoints import FailpointReached
from apps.common.ids import uuid7
from apps.common.tenancy import SystemScope, system_scope
from apps.mail.models import OutgoingMail
from tests.billing.bank import say_dispute
from tests.billing.savers import Saver, open_page, pay
from tests.factories.accounts import make_actor, make_staff
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.django_db

CENT = 10_000


@pytest.fixture
def saver(stripe: StripeWorld) -> Saver:
    """Somebody who has paid ten dollars."""
    saver = Saver(make_actor(), stripe)
    pay(saver, 1000)
    return saver


@pytest.fixture
def payment(saver: Saver) -> PaymentAttempt:
    return PaymentAttempt.objects.get(tenant_id=saver.actor.tenant)


def ask(saver: Saver, payment: PaymentAttempt, cents: int | None = None, *, key: str = "key-1") -> RefundView:
    return ask_refund(
        actor=make_staff(),
        payment_id=payment.id,
        amount_micros=None if cents is None else cents * CENT,
        reason="Paid twice",
        request_key=key,
        clock=saver.clock,
    )


def test_a_part_goes_back_and_leaves_the_reserve(saver: Saver, payment: PaymentAttempt, stripe: StripeWorld) -> None:
    refund = ask(saver, payment, 250)
    assert (refund.state, refund.amount_micros, refund.payment_id) == (RefundState.SUCCEEDED, 250 * CENT, payment.id)
    assert (saver.balance, stripe.money()) == (7.5, [("payment", 1000), ("refund", -250)])
    audit = BillingAuditLog.objects.get(action="payment.refund_asked")
    assert (audit.reason, audit.tenant_id, audit.target_id) == ("Paid twice", saver.actor.tenant, payment.id)
    # What staff write down is for the house.
    assert "Paid twice" not in str(OutgoingMail.objects.get(kind="refund_made").context)


def test_without_an_amount_all_that_is_left_goes_back(saver: Saver, payment: PaymentAttempt) -> None:
    ask(saver, payment, 250)
    assert ask(saver, payment, key="key-2").amount_micros == 750 * CENT
    assert saver.balance == 0
    with pytest.raises(NothingToRefund):
        ask(saver, payment, key="key-3")


def test_staff_can_do_it_in_their_own_scope(saver: Saver, payment: PaymentAttempt) -> None:
    with system_scope(SystemScope.STAFF):
        assert ask(saver, payment, 250).state is RefundState.SUCCEEDED


def test_the_same_key_gives_back_once(saver: Saver, payment: PaymentAttempt, stripe: StripeWorld) -> None:
    assert ask(saver, payment, 250).id == ask(saver, payment, 250).id
    assert len(stripe.requests(path="/v1/refunds")) == 1
    with pytest.raises(IdempotencyMismatch):
        ask(saver, payment, 300)


@pytest.mark.parametrize("cents", [1001, 10**9])
def test_more_than_was_paid_does_not_go_back(saver: Saver, payment: PaymentAttempt, cents: int) -> None:
    with pytest.raises(NothingToRefund):
        ask(saver, payment, cents)


def test_what_was_never_paid_does_not_go_back(saver: Saver) -> None:
    page = open_page(saver, 1000)
    with pytest.raises(NothingToRefund):
        ask(saver, PaymentAttempt.objects.get(stripe_session_id=page))


@pytest.mark.failure("M25")
def test_what_a_bank_has_taken_does_not_go_back_as_well(
    saver: Saver, payment: PaymentAttempt, stripe: StripeWorld
) -> None:
    take_dispute(dispute=say_dispute(payment, 900), now=saver.clock())
    with pytest.raises(NothingToRefund):
        ask(saver, payment, 200)
    assert ask(saver, payment).amount_micros == 100 * CENT


@pytest.mark.parametrize("amount", [0, -1, 1, CENT + 1])
def test_amounts_are_whole_cents(saver: Saver, payment: PaymentAttempt, amount: int) -> None:
    with pytest.raises(Invalid):
        ask_refund(
            actor=make_staff(),
            payment_id=payment.id,
            amount_micros=amount,
            reason="Why not",
            request_key="key-1",
            clock=saver.clock,
        )


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_needed(saver: Saver, payment: PaymentAttempt, reason: str) -> None:
    with pytest.raises(Invalid):
        ask_refund(
            actor=make_staff(),
            payment_id=payment.id,
            amount_micros=None,
            reason=reason,
            request_key="key-1",
            clock=saver.clock,
        )


def test_only_staff_may_and_only_what_there_is(saver: Saver, payment: PaymentAttempt) -> None:
    arguments = {"amount_micros": None, "reason": "Mine", "request_key": "key-1", "clock": saver.clock}
    with pytest.raises(Forbidden):
        ask_refund(actor=saver.actor, payment_id=payment.id, **arguments)  # type: ignore[arg-type]
    with pytest.raises(UnknownPayment):
        ask_refund(actor=make_staff(), payment_id=uuid7(), **arguments)  # type: ignore[arg-type]
    assert not PaymentRefund.objects.exists()


def test_without_a_key_of_stripe_nothing_is_begun(
    saver: Saver, payment: PaymentAttempt, settings: LazySettings
) -> None:
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(PaymentsNotSetUp):
        ask(saver, payment)
    assert not PaymentRefund.objects.exists()


def test_what_stripe_refuses_is_said_and_stays_said(saver: Saver, payment: PaymentAttempt, stripe: StripeWorld) -> None:
    stripe.refund(payment.stripe_payment_intent_id or "")
    for _ in range(2):
        with pytest.raises(RefundRefused):
            ask(saver, payment)
    assert PaymentRefund.objects.get().failure_code == "charge_already_refunded"
    assert saver.balance == 10


# --- The answer is missing -------------------------------------------------------------------------------------------
def lose_the_answer(stripe: StripeWorld) -> None:
    stripe.turn(kind="lost", match="POST /v1/refunds")


def fail_without_effect(stripe: StripeWorld) -> None:
    stripe.turn(kind="status", status=500, match="POST /v1/refunds")


def test_a_refund_whose_answer_was_lost_is_found_and_booked_once(
    saver: Saver, payment: PaymentAttempt, stripe: StripeWorld
) -> None:
    lose_the_answer(stripe)
    assert ask(saver, payment, 250).state is RefundState.AMBIGUOUS
    assert saver.balance == 10
    saver.clock.wait(minutes=3)
    assert look_at_due_refunds(clock=saver.clock) == 1
    assert look_at_due_refunds(clock=saver.clock) == 0
    assert (saver.balance, PaymentRefund.objects.get().state) == (7.5, "succeeded")


@pytest.mark.parametrize("happens", [lose_the_answer, fail_without_effect])
def test_asking_again_with_the_same_key_never_gives_back_twice(
    saver: Saver, payment: PaymentAttempt, stripe: StripeWorld, happens: Callable[[StripeWorld], None]
) -> None:
    happens(stripe)
    ask(saver, payment, 250)
    ask(saver, payment, 250)
    assert sum(amount for kind, amount in stripe.money() if kind == "refund") in (0, -250)
    assert saver.balance * 100 == sum(amount for _, amount in stripe.money())


def test_what_stripe_never_heard_of_is_given_up(saver: Saver, payment: PaymentAttempt, stripe: StripeWorld) -> None:
    fail_without_effect(stripe)
    assert ask(saver, payment, 250).state is RefundState.AMBIGUOUS
    saver.clock.wait(minutes=11)
    look_at_due_refunds(clock=saver.clock)
    refund = PaymentRefund.objects.get()
    assert (refund.state, refund.failure_code, refund.look_at) == ("failed", "never_begun", None)
    assert ask(saver, payment, 1000, key="key-2").state is RefundState.SUCCEEDED


def test_a_process_that_dies_after_the_refund_loses_nothing(
    saver: Saver, payment: PaymentAttempt, settings: LazySettings
) -> None:
    settings.FAILPOINTS = {"after_stripe_refund_before_commit": "raise"}
    with pytest.raises(FailpointReached):
        ask(saver, payment, 250)
    saver.clock.wait(minutes=3)
    look_at_due_refunds(clock=saver.clock)
    assert saver.balance == 7.5


def test_a_process_that_slept_before_the_call_leaves_it_be(
    saver: Saver, payment: PaymentAttempt, stripe: StripeWorld
) -> None:
    ticks = iter([saver.clock()])
    late = saver.clock() + timedelta(minutes=11)
    refund = ask_refund(
        actor=make_staff(),
        payment_id=payment.id,
        amount_micros=None,
        reason="Slow",
        request_key="key-1",
        clock=lambda: next(ticks, late),
    )
    assert (refund.state, stripe.requests(path="/v1/refunds")) == (RefundState.CREATED, [])


def test_a_look_that_fails_is_put_off_and_the_others_are_looked_at(
    saver: Saver, payment: PaymentAttempt, stripe: StripeWorld
) -> None:
    for key in ("key-1", "key-2"):
        lose_the_answer(stripe)
        ask(saver, payment, 250, key=key)
    stripe.turn(kind="status", status=503, match="GET /v1/refunds")
    saver.clock.wait(minutes=3)
    assert look_at_due_refunds(clock=saver.clock) == 2
    assert saver.balance == 7.5
    saver.clock.wait(minutes=10)
    look_at_due_refunds(clock=saver.clock)
    assert saver.balance == 5


@pytest.mark.failure("M23")
def test_a_refund_that_fails_at_the_bank_comes_back(saver: Saver, payment: PaymentAttempt, stripe: StripeWorld) -> None:
    ask(saver, payment, 250)
    refund_id = PaymentRefund.objects.get().stripe_refund_id or ""
    stripe.settle_refund(refund_id, succeeds=False)
    for _ in range(2):
        take_refund(refund=get_gateway().get_refund(refund_id), now=saver.clock())
    assert (saver.balance, PaymentRefund.objects.get().failure_code) == (10, "expired_or_canceled_card")
