"""The duty over low reserves: what one round does, what it costs, and what it does not let be held up."""

import pytest
from django.conf import LazySettings
from pytest_django import DjangoAssertNumQueries

from apps.billing.payment_types import PaymentState
from apps.billing.services.payments import charging
from apps.billing.services.watching import check_reserves
from apps.common.clock import Clock
from apps.common.tenancy import TenantId
from apps.mail.models import OutgoingMail
from apps.workers.tasks import run_refund_looks, run_reserve_checks
from tests.billing.savers import DOLLAR, make_saver, open_page
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.django_db


def test_a_low_reserve_is_filled_up_before_anybody_is_told_that_it_is_low(stripe: StripeWorld) -> None:
    saver = make_saver(stripe)
    saver.spend_down_to(0.5)
    assert run_reserve_checks() == 1
    assert (saver.balance, saver.charged_cents()) == (20.5, 2000)
    assert list(OutgoingMail.objects.values_list("kind", flat=True)) == ["auto_topup_made"]
    assert run_reserve_checks() == 0


def test_where_payments_are_not_set_up_owners_are_still_told(stripe: StripeWorld, settings: LazySettings) -> None:
    saver = make_saver(stripe)
    saver.spend_down_to(0.5)
    settings.STRIPE_SECRET_KEY = ""
    assert run_reserve_checks() == 1
    assert list(OutgoingMail.objects.values_list("kind", flat=True)) == ["reserve_low"]


def test_when_all_is_well_a_round_is_three_queries(
    stripe: StripeWorld, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    saver = make_saver(stripe)
    # Whose reserve is low, which pages are pointless, who is to be told.
    with django_assert_num_queries(3):
        assert check_reserves(clock=saver.clock) == 0


def test_one_customer_whose_reserve_cannot_be_checked_does_not_hold_up_the_next(
    stripe: StripeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_saver(stripe), make_saver(stripe)
    for saver in (first, second):
        saver.spend_down_to(1)
    check = charging.check_account

    def break_for_first(*, tenant: TenantId, clock: Clock) -> PaymentState | None:
        if tenant == first.actor.tenant:
            raise RuntimeError("planted")
        return check(tenant=tenant, clock=clock)

    monkeypatch.setattr(charging, "check_account", break_for_first)
    assert check_reserves(clock=first.clock) == 1
    assert (first.charges, second.charges) == ([], ["succeeded"])


def test_a_stripe_that_is_away_is_not_asked_for_every_customer(stripe: StripeWorld) -> None:
    savers = [make_saver(stripe) for _ in range(5)]
    for saver in savers:
        saver.spend_down_to(1)
    stripe.turn(kind="status", status=503, times=None)
    check_reserves(clock=savers[0].clock)
    assert sum(len(saver.charges) for saver in savers) == 3


def test_a_look_that_stripe_does_not_answer_is_put_off(stripe: StripeWorld) -> None:
    saver = make_saver(stripe, threshold_micros=50 * DOLLAR)
    open_page(saver, 1000)
    stripe.turn(kind="status", status=503, match="GET /v1/checkout", times=1)
    assert check_reserves(clock=saver.clock) == 0
    saver.clock.wait(minutes=11)
    assert check_reserves(clock=saver.clock) == 1


def test_refunds_whose_answer_is_missing_are_a_duty(stripe: StripeWorld) -> None:
    assert stripe.url
    assert run_refund_looks() == 0
