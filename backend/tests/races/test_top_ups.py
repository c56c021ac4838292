"""Automatic top-ups under real concurrency: a burst of spends, many watches at once, money that goes back meanwhile."""

from functools import partial
from threading import Barrier

import pytest

from apps.billing.models import PaymentAttempt, ReserveLedgerEntry
from apps.billing.payment_types import PaymentKind, PaymentState
from apps.billing.services.payments import charging
from apps.billing.services.payments.disputes import take_dispute
from apps.billing.services.payments.refunds import take_refund
from apps.billing.services.watching import check_reserves
from apps.billing.types import CLAWBACKS
from apps.mail.models import OutgoingMail
from tests.billing.bank import say_dispute, say_refund, withdrawn
from tests.billing.savers import DOLLAR, Saver, make_saver
from tests.factories.billing import NOW, get_account, make_hold, make_payment, make_reserve, settle
from tests.races.test_billing import Act, run_together
from tests.stripe_world import StripeWorld

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def saver(stripe: StripeWorld) -> Saver:
    return make_saver(stripe)


def spend_and_check(saver: Saver) -> PaymentState | None:
    settle(make_hold(saver.actor.tenant, 110_000), 110_000)
    return saver.check()


@pytest.mark.failure("M16")
def test_a_burst_of_fifty_spends_across_the_threshold_charges_once(saver: Saver, stripe: StripeWorld) -> None:
    outcomes = [outcome for _ in range(5) for outcome in run_together([lambda: spend_and_check(saver)] * 10)]
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    automatic = [intent for intent in stripe.objects("payment_intent") if intent["amount"] == 2000]
    assert [intent["status"] for intent in automatic] == ["succeeded"]
    assert PaymentAttempt.objects.filter(kind=PaymentKind.AUTOMATIC).count() == 1
    assert get_account(saver.actor.tenant).balance_micros == 30 * DOLLAR - 50 * 110_000


@pytest.mark.failure("M16")
def test_eight_who_all_found_that_it_is_due_decide_one_after_the_other(
    saver: Saver, monkeypatch: pytest.MonkeyPatch
) -> None:
    saver.spend_down_to(1)
    barrier = Barrier(8)
    monkeypatch.setattr(charging, "_look_at_the_rest", lambda *_, **__: barrier.wait(timeout=20))
    outcomes = run_together([saver.check] * 8)
    assert sorted(outcomes, key=str) == [None] * 7 + [PaymentState.SUCCEEDED]
    assert saver.charged_cents() == 2000


@pytest.mark.failure("M21")
def test_eight_watches_at_once_stay_within_the_cap_of_the_month(saver: Saver) -> None:
    saver.change(monthly_cap_micros=50 * DOLLAR, threshold_micros=1000 * DOLLAR)
    for _ in range(3):
        run_together([lambda: check_reserves(clock=saver.clock)] * 8)
    assert saver.charged_cents() == 4000
    assert saver.charges == ["succeeded", "succeeded"]


@pytest.mark.failure("M20")
def test_eight_watches_at_once_count_one_decline_and_write_once(saver: Saver, stripe: StripeWorld) -> None:
    saver.spend_down_to(1)
    stripe.turn(kind="declined", times=None)
    run_together([lambda: check_reserves(clock=saver.clock)] * 8)
    assert (saver.machine.declines, saver.charges) == (1, ["failed"])
    assert OutgoingMail.objects.filter(kind="auto_topup_declined").count() == 1


@pytest.mark.failure("M25", "M43")
def test_refunds_and_a_dispute_that_are_told_at_once_take_no_more_than_the_payment() -> None:
    payment = make_payment(make_reserve(), 10 * DOLLAR)
    refunds = [say_refund(payment, cents) for cents in (300, 400)]
    dispute = withdrawn(say_dispute(payment, 1000))
    acts: list[Act] = [partial(take_refund, refund=refund, now=NOW) for refund in refunds]
    acts.append(partial(take_dispute, dispute=dispute, now=NOW))
    outcomes = run_together(acts * 3)
    assert [outcome for outcome in outcomes if outcome is not None] == []
    taken = ReserveLedgerEntry.objects.filter(kind__in=CLAWBACKS).values_list("amount_micros", flat=True)
    assert sum(taken) == -10 * DOLLAR
