"""The reserve that fills itself up: when it charges, and above all when it does not."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import transaction

from apps.accounts.models import User
from apps.billing.models import BillingAuditLog, BillingProfile, PaymentAttempt
from apps.billing.payment_types import AutoTopupState, NoSavedCard, PaymentState
from apps.billing.services.payments import attempts, automatic
from apps.billing.services.payments.charging import check_account
from apps.billing.services.payments.clawbacks import lock_payment
from apps.billing.services.payments.disputes import take_dispute
from apps.billing.services.payments.looking import look_at_due, take_payment
from apps.billing.services.payments.refunds import take_refund
from apps.billing.services.watching import check_reserves
from apps.billing.stripe_gateway import get_gateway
from apps.common.errors import Forbidden, Invalid
from apps.common.failpoints import FailpointReached
from apps.common.states import WrongState
from apps.mail.models import OutgoingMail
from apps.tenants.types import Role
from tests.billing.bank import reinstated, say_dispute, say_refund, withdrawn
from tests.billing.savers import DOLLAR, Saver, make_saver, open_page, pay
from tests.factories.accounts import make_actor
from tests.factories.billing import fund, make_hold
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.django_db


@pytest.fixture
def saver(stripe: StripeWorld) -> Saver:
    return make_saver(stripe)


def decline(stripe: StripeWorld, code: str = "insufficient_funds", *, times: int = 1) -> None:
    stripe.turn(kind="declined", decline_code=code, times=times)


def list_mails() -> list[str]:
    return [*OutgoingMail.objects.filter(kind__startswith="auto_").order_by("id").values_list("kind", flat=True)]


# --- When it charges --------------------------------------------------------------------------------------------------
def test_a_reserve_that_spending_made_low_is_filled_up_once(saver: Saver) -> None:
    saver.spend_down_to(4.99)
    assert saver.check() is PaymentState.SUCCEEDED
    assert (saver.check(), saver.balance, saver.charged_cents()) == (None, 24.99, 2000)
    assert (saver.machine.state, list_mails()) == (AutoTopupState.IDLE, ["auto_topup_made"])


def test_money_that_is_held_counts_as_spent(saver: Saver) -> None:
    make_hold(saver.actor.tenant, 6 * DOLLAR)
    assert saver.check() is PaymentState.SUCCEEDED


def test_a_reserve_at_its_threshold_is_left_alone(saver: Saver) -> None:
    saver.spend_down_to(5)
    assert (saver.check(), saver.charges) == (None, [])


def test_who_has_switched_it_off_is_never_charged(saver: Saver) -> None:
    saver.change(is_on=False)
    saver.spend_down_to(1)
    assert (saver.check(), saver.charges) == (None, [])


def test_who_never_asked_for_it_is_never_charged(stripe: StripeWorld) -> None:
    assert stripe.url
    nobody = Saver(make_actor(), stripe)
    assert nobody.check() is None


def test_without_anybody_left_nothing_is_charged(saver: Saver) -> None:
    saver.spend_down_to(1)
    User.objects.filter(pk=saver.actor.user_id).update(is_active=False)
    assert (saver.check(), saver.charges) == (None, [])


def test_an_amount_that_may_no_longer_be_paid_at_once_is_not_charged(saver: Saver, settings: LazySettings) -> None:
    saver.spend_down_to(1)
    settings.TOPUP_MAX_CENTS = 1999
    assert saver.check() is None


# --- The outcome is lost ----------------------------------------------------------------------------------------------
@pytest.mark.failure("M17")
@pytest.mark.parametrize("is_a_day_later", [False, True])
def test_a_charge_whose_answer_was_lost_is_found_and_credited_once(
    saver: Saver, stripe: StripeWorld, is_a_day_later: bool
) -> None:
    saver.spend_down_to(1)
    stripe.turn(kind="lost", match="POST /v1/payment_intents")
    assert saver.check() is PaymentState.AMBIGUOUS
    if is_a_day_later:
        stripe.forget_keys()
    assert saver.check() is None
    saver.clock.wait(minutes=3)
    assert look_at_due(clock=saver.clock) == 1
    assert (saver.balance, saver.charged_cents(), saver.charges) == (21, 2000, ["succeeded"])
    assert saver.machine.state == AutoTopupState.IDLE


@pytest.mark.failure("M17")
@pytest.mark.parametrize("knob", [{"kind": "status", "status": 500}, {"kind": "status", "status": 429}])
def test_a_charge_that_was_never_carried_out_is_given_up_and_tried_anew(
    saver: Saver, stripe: StripeWorld, knob: dict[str, object]
) -> None:
    saver.spend_down_to(1)
    stripe.turn(match="POST /v1/payment_intents", **knob)
    assert saver.check() is PaymentState.AMBIGUOUS
    saver.clock.wait(minutes=11)
    look_at_due(clock=saver.clock)
    assert (saver.charges, saver.machine.state) == (["canceled"], AutoTopupState.IDLE)
    assert saver.check() is PaymentState.SUCCEEDED
    assert saver.charged_cents() == 2000


@pytest.mark.failure("M17")
def test_a_charge_that_was_given_up_and_succeeds_after_all_is_credited_and_ends_no_newer_wait(
    saver: Saver, stripe: StripeWorld
) -> None:
    saver.spend_down_to(1)
    stripe.turn(kind="lost", match="POST /v1/payment_intents")
    saver.check()
    [taken] = [intent for intent in stripe.objects("payment_intent") if intent["amount"] == 2000]
    with transaction.atomic():
        _, attempt = lock_payment(attempt_id=PaymentAttempt.objects.get(kind="automatic").id)
        attempts.move_attempt(attempt=attempt, to=PaymentState.CANCELED, now=saver.clock(), code="never_begun")
    stripe.turn(kind="processing")
    assert saver.check() is PaymentState.OPEN
    take_payment(payment=get_gateway().get_payment(taken["id"]), now=saver.clock())
    assert (saver.charges, saver.machine.state) == (["succeeded", "open"], AutoTopupState.ATTEMPTING)
    assert (saver.balance, saver.check()) == (21, None)


@pytest.mark.failure("M18")
def test_a_worker_that_dies_after_the_charge_loses_and_doubles_nothing(saver: Saver, settings: LazySettings) -> None:
    saver.spend_down_to(1)
    settings.FAILPOINTS = {"after_stripe_call_before_commit": "raise"}
    with pytest.raises(FailpointReached):
        saver.check()
    settings.FAILPOINTS = {}
    assert saver.check() is None
    saver.clock.wait(minutes=3)
    look_at_due(clock=saver.clock)
    assert (saver.balance, saver.charged_cents(), saver.charges) == (21, 2000, ["succeeded"])


# --- Somebody pays by hand --------------------------------------------------------------------------------------------
@pytest.mark.failure("M19")
def test_a_page_that_was_just_paid_is_credited_instead_of_charging(saver: Saver, stripe: StripeWorld) -> None:
    session_id = open_page(saver, 3000)
    saver.spend_down_to(1)
    stripe.pay(session_id)
    assert saver.check() is None
    assert (saver.balance, saver.charges) == (31, [])


@pytest.mark.failure("M19")
def test_somebody_at_a_fresh_page_is_waited_for(saver: Saver, stripe: StripeWorld) -> None:
    saver.spend_down_to(1)
    session_id = open_page(saver, 3000)
    assert (saver.check(), saver.charges) == (None, [])
    saver.clock.wait(minutes=5)
    stripe.pay(session_id)
    assert (saver.check(), saver.charges, saver.balance) == (None, [], 31)


@pytest.mark.failure("M19")
def test_an_old_open_page_is_closed_after_the_credit_and_not_before(saver: Saver, stripe: StripeWorld) -> None:
    session_id = open_page(saver, 3000)
    saver.spend_down_to(1)
    saver.clock.wait(minutes=11)
    stripe.turn(kind="declined", times=1)
    saver.check()
    check_reserves(clock=saver.clock)
    assert stripe.api("GET", f"/v1/checkout/sessions/{session_id}")["status"] == "open"
    saver.clock.wait(hours=1)
    check_reserves(clock=saver.clock)
    assert stripe.api("GET", f"/v1/checkout/sessions/{session_id}")["status"] == "expired"
    assert PaymentAttempt.objects.get(stripe_session_id=session_id).state == PaymentState.CANCELED
    assert (saver.balance, saver.charged_cents()) == (21, 2000)


@pytest.mark.failure("M19")
def test_a_page_that_is_paid_while_it_is_to_be_closed_is_credited(saver: Saver, stripe: StripeWorld) -> None:
    session_id = open_page(saver, 3000)
    saver.spend_down_to(1)
    saver.clock.wait(minutes=11)
    assert saver.check() is PaymentState.SUCCEEDED
    stripe.pay(session_id)
    check_reserves(clock=saver.clock)
    assert saver.balance == 51


# --- The card does not pay --------------------------------------------------------------------------------------------
@pytest.mark.failure("M20")
def test_declines_are_tried_again_ever_later_and_stop_after_three(saver: Saver, stripe: StripeWorld) -> None:
    saver.spend_down_to(1)
    decline(stripe, times=10)
    tries = []
    for minutes in range(0, 60 * 12, 10):
        if saver.check() is not None:
            tries.append(minutes)
        saver.clock.wait(minutes=10)
    assert tries == [0, 60, 180]
    assert saver.machine.state == AutoTopupState.SUSPENDED
    assert list_mails() == ["auto_topup_declined", "auto_topup_suspended"]
    assert (saver.balance, saver.charged_cents()) == (1, 0)


@pytest.mark.failure("M20")
@pytest.mark.parametrize("code", ["expired_card", "lost_card", "stolen_card"])
def test_a_card_that_can_never_pay_again_is_not_tried_again(saver: Saver, stripe: StripeWorld, code: str) -> None:
    saver.spend_down_to(1)
    decline(stripe, code)
    assert saver.check() is PaymentState.FAILED
    saver.clock.wait(days=40)
    assert (saver.check(), saver.charges) == (None, ["failed"])
    assert (saver.machine.last_decline_code, list_mails()) == (code, ["auto_topup_suspended"])


@pytest.mark.failure("M20")
def test_saving_the_same_card_again_does_not_make_it_good(saver: Saver, stripe: StripeWorld) -> None:
    saver.spend_down_to(1)
    decline(stripe, "stolen_card")
    saver.check()
    BillingProfile.objects.filter(tenant_id=saver.actor.tenant).update(payment_method_id="pm_saved_again")
    saver.clock.wait(days=40)
    check_reserves(clock=saver.clock)
    assert (saver.charges, saver.machine.state) == (["failed"], AutoTopupState.SUSPENDED)


@pytest.mark.failure("M20")
def test_another_card_gets_its_own_chance(saver: Saver, stripe: StripeWorld) -> None:
    saver.spend_down_to(-4)
    decline(stripe, "stolen_card")
    saver.check()
    pay(saver, 500, saves_card=True, card="pm_card_mastercard")
    saver.clock.wait(minutes=1)
    assert check_reserves(clock=saver.clock) >= 1
    assert saver.charges == ["failed", "succeeded"]
    assert (saver.machine.declines, saver.machine.failed_fingerprint) == (0, "")


@pytest.mark.failure("M20")
def test_a_success_forgets_the_declines(saver: Saver, stripe: StripeWorld) -> None:
    saver.spend_down_to(1)
    decline(stripe)
    saver.check()
    saver.clock.wait(hours=1)
    assert saver.check() is PaymentState.SUCCEEDED
    machine = saver.machine
    assert (machine.state, machine.declines, machine.last_decline_code) == (AutoTopupState.IDLE, 0, "")


def test_a_card_that_is_gone_stops_it(saver: Saver, stripe: StripeWorld) -> None:
    saver.spend_down_to(1)
    profile = BillingProfile.objects.get(tenant_id=saver.actor.tenant)
    stripe.api("DELETE", f"/v1/customers/{profile.stripe_customer_id}")
    BillingProfile.objects.filter(pk=profile.pk).update(payment_method_id="pm_that_is_gone")
    assert saver.check() is PaymentState.FAILED
    assert saver.machine.state == AutoTopupState.SUSPENDED
    assert OutgoingMail.objects.get(kind="auto_topup_suspended").context["why"] == "The card is no longer there."


def test_a_card_that_was_detached_is_a_decline(saver: Saver, stripe: StripeWorld) -> None:
    saver.spend_down_to(1)
    card = BillingProfile.objects.get(tenant_id=saver.actor.tenant).payment_method_id
    stripe.api("POST", f"/v1/payment_methods/{card}/detach")
    assert saver.check() is PaymentState.FAILED
    assert (saver.machine.state, saver.charged_cents()) == (AutoTopupState.COOLING, 0)


# --- The bank asks the customer ---------------------------------------------------------------------------------------
@pytest.mark.failure("M20")
def test_a_bank_that_must_ask_waits_for_the_customer(stripe: StripeWorld) -> None:
    saver = make_saver(stripe, card="pm_card_authenticationRequired")
    saver.spend_down_to(1)
    assert saver.check() is PaymentState.FAILED
    saver.clock.wait(days=40)
    assert (saver.check(), saver.charges, saver.charged_cents()) == (None, ["failed"], 0)
    assert (saver.machine.state, list_mails()) == (AutoTopupState.NEEDS_CUSTOMER, ["auto_topup_needs_customer"])


@pytest.mark.failure("M20", "M21")
def test_a_payment_that_waits_for_its_bank_is_given_up_when_the_owner_goes_on(
    saver: Saver, stripe: StripeWorld
) -> None:
    saver.spend_down_to(1)
    stripe.turn(kind="requires_action")
    assert saver.check() is PaymentState.NEEDS_CUSTOMER
    assert (saver.machine.state, list_mails()) == (AutoTopupState.NEEDS_CUSTOMER, ["auto_topup_needs_customer"])
    automatic.resume(actor=saver.actor, now=saver.clock())
    assert saver.check() is PaymentState.SUCCEEDED
    assert (saver.charges, saver.charged_cents()) == (["canceled", "succeeded"], 2000)
    assert [intent["status"] for intent in stripe.objects("payment_intent")][1:] == ["canceled", "succeeded"]


@pytest.mark.failure("M21")
def test_a_payment_that_the_bank_let_through_meanwhile_is_credited_and_not_charged_again(
    saver: Saver, stripe: StripeWorld
) -> None:
    saver.spend_down_to(1)
    stripe.turn(kind="requires_action")
    saver.check()
    stripe.settle_payment(PaymentAttempt.objects.get(kind="automatic").stripe_payment_intent_id or "")
    automatic.resume(actor=saver.actor, now=saver.clock())
    assert saver.check() is None
    assert (saver.charges, saver.balance, saver.charged_cents()) == (["succeeded"], 21, 2000)


@pytest.mark.failure("M21")
def test_a_payment_that_nobody_confirms_is_canceled_and_frees_the_cap(saver: Saver, stripe: StripeWorld) -> None:
    saver.change(monthly_cap_micros=20 * DOLLAR)
    saver.spend_down_to(1)
    stripe.turn(kind="requires_action")
    saver.check()
    saver.clock.wait(hours=25)
    look_at_due(clock=saver.clock)
    assert saver.charges == ["canceled"]
    automatic.resume(actor=saver.actor, now=saver.clock())
    assert saver.check() is PaymentState.SUCCEEDED


@pytest.mark.failure("M21")
def test_a_worker_that_slept_before_the_call_does_not_charge_what_was_given_up(saver: Saver) -> None:
    saver.spend_down_to(1)
    start = saver.clock()
    ticks = iter([start] * 2)
    late = start + timedelta(minutes=11)
    assert check_account(tenant=saver.actor.tenant, clock=lambda: next(ticks, late)) is PaymentState.CREATED
    assert saver.charged_cents() == 0
    look_at_due(clock=lambda: late)
    assert (saver.charges, saver.machine.state) == (["canceled"], AutoTopupState.IDLE)


# --- The cap and clawbacks --------------------------------------------------------------------------------------------
@pytest.mark.failure("M21")
def test_a_month_has_its_cap_and_the_next_month_its_own(saver: Saver) -> None:
    saver.clock.start = saver.clock.start.replace(day=1)
    saver.change(monthly_cap_micros=50 * DOLLAR, threshold_micros=1000 * DOLLAR)
    for _ in range(4):
        saver.check()
    assert saver.charged_cents() == 4000
    saver.clock.wait(days=32)
    saver.check()
    assert saver.charged_cents() == 6000


@pytest.mark.failure("M24")
def test_a_clawback_is_not_fetched_again_from_the_card(saver: Saver) -> None:
    payment = PaymentAttempt.objects.get(tenant_id=saver.actor.tenant)
    saver.spend_down_to(8)
    take_refund(refund=say_refund(payment, 1000), now=saver.clock())
    assert (saver.balance, saver.check(), check_reserves(clock=saver.clock)) == (-2, None, 1)
    fund(saver.actor.tenant, 4 * DOLLAR)
    saver.spend_down_to(1)
    assert (saver.check(), saver.charges) == (None, [])


@pytest.mark.failure("M24")
def test_after_the_reserve_was_well_again_spending_counts_as_before(saver: Saver) -> None:
    payment = PaymentAttempt.objects.get(tenant_id=saver.actor.tenant)
    take_refund(refund=say_refund(payment, 600), now=saver.clock())
    assert saver.check() is None
    pay(saver, 1000)
    saver.spend_down_to(4)
    assert saver.check() is PaymentState.SUCCEEDED


def test_a_refund_that_left_enough_does_not_stop_it(saver: Saver) -> None:
    payment = PaymentAttempt.objects.get(tenant_id=saver.actor.tenant)
    take_refund(refund=say_refund(payment, 300), now=saver.clock())
    saver.spend_down_to(4)
    assert saver.check() is PaymentState.SUCCEEDED


@pytest.mark.failure("M25")
def test_a_card_whose_holder_disputes_a_payment_is_not_charged_until_that_is_over(saver: Saver) -> None:
    payment = PaymentAttempt.objects.get(tenant_id=saver.actor.tenant)
    dispute = say_dispute(payment, 100)
    take_dispute(dispute=withdrawn(dispute), now=saver.clock())
    saver.spend_down_to(1)
    assert (saver.check(), saver.charges) == (None, [])
    take_dispute(dispute=reinstated(dispute), now=saver.clock())
    assert saver.check() is PaymentState.SUCCEEDED


# --- The owner's settings ---------------------------------------------------------------------------------------------
def test_settings_are_for_owners_and_leave_an_audit_row(saver: Saver) -> None:
    saver.change(amount_micros=30 * DOLLAR)
    row = BillingAuditLog.objects.filter(action="auto_topup.edited").latest("id")
    assert (row.before, row.after) == ({"amount_micros": 20 * DOLLAR}, {"amount_micros": 30 * DOLLAR})
    count = BillingAuditLog.objects.count()
    saver.change(amount_micros=30 * DOLLAR)
    assert BillingAuditLog.objects.count() == count
    member = make_actor(tenant=saver.actor.tenant, role=Role.MEMBER)
    with pytest.raises(Forbidden):
        automatic.edit_settings(actor=member, changes={"is_on": False}, now=saver.clock())
    with pytest.raises(Forbidden):
        automatic.resume(actor=member, now=saver.clock())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_micros": 499 * 10_000}, "amount_micros"),
        ({"amount_micros": 50_001 * 10_000, "monthly_cap_micros": 10**12}, "amount_micros"),
        ({"amount_micros": 20 * DOLLAR + 1}, "amount_micros"),
        ({"monthly_cap_micros": 20 * DOLLAR - 1}, "monthly_cap_micros"),
        ({"monthly_cap_micros": 10**15 + 1}, "monthly_cap_micros"),
        ({"threshold_micros": -1}, "threshold_micros"),
        ({"threshold_micros": 10**15 + 1}, "threshold_micros"),
    ],
)
def test_settings_have_bounds(saver: Saver, changes: dict[str, int], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        saver.change(**changes)
    assert list(caught.value.fields) == [field]


def test_it_cannot_be_switched_on_without_a_card() -> None:
    actor = make_actor()
    with pytest.raises(NoSavedCard):
        automatic.edit_settings(actor=actor, changes={"is_on": True}, now=Saver(actor, None).clock())  # type: ignore[arg-type]


def test_there_is_nothing_to_resume_while_all_is_well(saver: Saver) -> None:
    with pytest.raises(WrongState):
        automatic.resume(actor=saver.actor, now=saver.clock())


def test_resuming_with_the_same_card_gives_it_one_more_try(saver: Saver, stripe: StripeWorld) -> None:
    saver.spend_down_to(1)
    decline(stripe, times=4)
    for hours in (0, 1, 2):
        saver.clock.wait(hours=hours)
        saver.check()
    automatic.resume(actor=saver.actor, now=saver.clock())
    assert saver.check() is PaymentState.FAILED
    assert (saver.machine.state, saver.machine.declines) == (AutoTopupState.SUSPENDED, 4)
    assert BillingAuditLog.objects.filter(action="auto_topup.resumed").count() == 1
