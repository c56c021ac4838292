"""The daily reconciliation: every message may be lost, and no money is."""

from datetime import timedelta
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from apps.billing.models import (
    BillingDocument,
    BillingProfile,
    PaymentAttempt,
    PaymentDispute,
    PaymentWatermark,
    ReserveLedgerEntry,
)
from apps.billing.payment_types import PaymentsNotSetUp, PaymentState, PaymentUnavailable
from apps.billing.services.payments.checkout import start_topup
from apps.billing.services.payments.looking import look_at_due
from apps.billing.services.payments.reconciling import ReconcileResult, reconcile
from apps.billing.services.payments.subscriptions import start_subscription
from apps.billing.types import PlanTier
from apps.common import clock
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor
from tests.factories.billing import get_account
from tests.stripe_world import StripeWorld

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor(stripe: StripeWorld) -> Actor:
    assert stripe.url
    return make_actor()


def pay(actor: Actor, stripe: StripeWorld, *, key: str = "key") -> str:
    started = start_topup(actor=actor, amount_cents=2000, saves_card=False, request_key=key, now=clock.now())
    payment: str = stripe.pay(started.session_id)["payment_intent"]
    return payment


def run(*, after: timedelta = timedelta(0)) -> ReconcileResult:
    moment = clock.now() + after
    return reconcile(clock=lambda: moment)


def read_ledger() -> list[tuple[str, int]]:
    return sorted(ReserveLedgerEntry.objects.values_list("kind", "amount_micros"))


@pytest.mark.failure("N27", "N37")
def test_without_any_message_everything_is_booked(actor: Actor, stripe: StripeWorld) -> None:
    paid = [pay(actor, stripe, key=key) for key in "abc"]
    stripe.refund(paid[0], amount_cents=500)
    stripe.advance_dispute(stripe.dispute(paid[1])["id"], "withdraw")
    assert run().is_ok
    assert read_ledger() == [("dispute_withdrawn", -20_000_000), ("refund", -5_000_000), *[("topup", 20_000_000)] * 3]
    assert get_account(actor.tenant).balance_micros == sum(cents for _, cents in stripe.money()) * 10_000
    assert {*PaymentAttempt.objects.values_list("state", flat=True)} == {PaymentState.SUCCEEDED}


@pytest.mark.failure("N27")
def test_the_janitor_alone_credits_every_payment(actor: Actor, stripe: StripeWorld) -> None:
    for key in "abc":
        pay(actor, stripe, key=key)
    later = clock.now() + timedelta(minutes=3)
    assert look_at_due(clock=lambda: later) == 3
    assert read_ledger() == [("topup", 20_000_000)] * 3


def test_a_second_round_changes_nothing(actor: Actor, stripe: StripeWorld) -> None:
    stripe.refund(pay(actor, stripe))
    assert run().is_ok
    before = read_ledger()
    result = run()
    assert result.is_ok
    assert result.seen["payments"] == 1
    assert read_ledger() == before


def test_a_round_begins_before_the_last_one_ended(actor: Actor, stripe: StripeWorld) -> None:
    pay(actor, stripe)
    run()
    assert run(after=timedelta(days=10)).seen["payments"] == 1
    assert run(after=timedelta(days=40)).seen["payments"] == 1
    assert run(after=timedelta(days=41)).seen["payments"] == 0


def test_a_dispute_is_followed_however_old_its_payment_is(actor: Actor, stripe: StripeWorld) -> None:
    dispute_id = stripe.dispute(pay(actor, stripe))["id"]
    stripe.advance_dispute(dispute_id, "withdraw")
    run()
    stripe.advance_dispute(dispute_id, "reinstate")
    PaymentWatermark.objects.update(read_until=clock.now() + timedelta(days=400))
    assert run().seen["disputes"] == 0
    assert PaymentDispute.objects.get().state == "reinstated"
    assert get_account(actor.tenant).balance_micros == 20_000_000


@pytest.mark.failure("N27")
def test_a_plan_and_its_invoice_are_found_without_a_message(actor: Actor, stripe: StripeWorld) -> None:
    started = start_subscription(actor=actor, plan=PlanTier.STARTER, request_key="key", now=clock.now())
    stripe.pay(started.session_id)
    assert run().is_ok
    assert BillingProfile.objects.get(tenant_id=actor.tenant).plan == PlanTier.STARTER
    assert BillingDocument.objects.get().kind == "invoice"
    assert read_ledger() == []


@pytest.mark.failure("M10")
def test_what_does_not_fit_is_told_and_holds_nobody_up(actor: Actor, stripe: StripeWorld) -> None:
    pay(actor, stripe)
    stripe.charge(stripe.api("POST", "/v1/customers", email="m@example.org")["id"])
    result = run()
    assert len(result.problems) == 1
    assert "none of ours" in result.problems[0]
    assert read_ledger() == [("topup", 20_000_000)]


@pytest.mark.failure("N26")
def test_a_round_that_stripe_cuts_short_is_made_up_for(actor: Actor, stripe: StripeWorld) -> None:
    stripe.refund(pay(actor, stripe))
    stripe.turn(kind="status", status=500, match="GET /v1/refunds")
    with pytest.raises(PaymentUnavailable):
        run()
    assert [*PaymentWatermark.objects.values_list("kind", flat=True)] == ["payments"]
    assert run().is_ok
    assert read_ledger() == [("refund", -20_000_000), ("topup", 20_000_000)]


def test_without_an_account_there_is_nothing_to_reconcile(settings: LazySettings) -> None:
    settings.STRIPE_SECRET_KEY = ""
    with pytest.raises(PaymentsNotSetUp):
        run()
    with pytest.raises(CommandError, match="not set up"):
        call_command("reconcile", stdout=StringIO())


def test_the_command_says_what_it_saw_and_fails_when_something_does_not_fit(actor: Actor, stripe: StripeWorld) -> None:
    pay(actor, stripe)
    out = StringIO()
    call_command("reconcile", stdout=out)
    assert "payments: 1\n" in out.getvalue()
    stripe.charge(stripe.api("POST", "/v1/customers", email="m@example.org")["id"])
    with pytest.raises(CommandError, match="none of ours"):
        call_command("reconcile", stdout=StringIO())
