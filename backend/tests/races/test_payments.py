"""Payments under real concurrency: what comes in, what is taken back and what is spent, all at the same moment."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import transaction

from apps.billing import selectors, stripe_gateway
from apps.billing.models import BillingDocument, PaymentAttempt, ReserveLedgerEntry
from apps.billing.payment_types import PaymentState
from apps.billing.services.ledger import post_batch
from apps.billing.services.payments.disputes import take_dispute
from apps.billing.services.payments.fulfilment import fulfil_payment
from apps.billing.services.payments.refunds import take_refund
from apps.billing.services.proof import Findings, check_payments, prove_ledger
from apps.common.ids import uuid7
from apps.common.money import micros_to_cents
from apps.common.tenancy import TenantId
from tests.billing.test_ledger import CREDIT
from tests.factories.billing import NOW, make_hold, make_payment, make_reserve, publish_prices, settle
from tests.races.test_billing import Act, classes, run_together

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

CENT = 10_000


@pytest.fixture(autouse=True)
def _sound_money(settings: LazySettings) -> Any:
    """Whatever the race did, the books and the payments must prove afterwards."""
    settings.STRIPE_SECRET_KEY = "sk_test_race"
    publish_prices()
    yield
    proof = prove_ledger(now=NOW)
    assert proof.is_ok, proof.first_broken
    assert list(check_payments(Findings())) == []


def there(attempt: PaymentAttempt) -> stripe_gateway.Payment:
    """The payment as Stripe tells of it: paid."""
    return stripe_gateway.Payment(
        id=attempt.stripe_payment_intent_id or "",
        status="succeeded",
        amount_cents=micros_to_cents(attempt.amount_micros),
        currency="USD",
        customer_id="cus_1",
        attempt_id=attempt.id,
        livemode=False,
        created_at=NOW,
    )


def refund_of(attempt: PaymentAttempt, cents: int, name: str) -> stripe_gateway.Refund:
    return stripe_gateway.Refund(
        id=name,
        payment_intent_id=attempt.stripe_payment_intent_id or "",
        amount_cents=cents,
        currency="USD",
        status="succeeded",
        failure_reason="",
        refund_row_id=None,
        created_at=NOW,
    )


def dispute_of(attempt: PaymentAttempt, cents: int, name: str) -> stripe_gateway.Dispute:
    return stripe_gateway.Dispute(
        id=name,
        payment_intent_id=attempt.stripe_payment_intent_id or "",
        amount_cents=cents,
        currency="USD",
        status="needs_response",
        reason="fraudulent",
        is_withdrawn=True,
        is_reinstated=False,
        evidence_due_by=None,
        created_at=NOW,
    )


@pytest.mark.failure("M01")
def test_a_payment_that_is_reported_by_all_at_once_is_credited_once() -> None:
    tenant = make_reserve()
    attempt = make_payment(tenant, 100 * CENT, state=PaymentState.OPEN)
    results = run_together([lambda: fulfil_payment(payment=there(attempt), now=NOW)] * 8)
    assert sum(not entry.is_replay for entry in results) == 1
    assert selectors.get_balance(tenant=tenant).balance_micros == 100 * CENT
    assert BillingDocument.objects.count() == 1


@pytest.mark.failure("M23", "M25")
def test_what_is_taken_back_by_all_at_once_is_never_more_than_the_payment() -> None:
    tenant = make_reserve()
    attempt = make_payment(tenant, 100 * CENT)
    refunds: list[Act] = [lambda: take_refund(refund=refund_of(attempt, 70, "re_1"), now=NOW)] * 3
    disputes: list[Act] = [lambda: take_dispute(dispute=dispute_of(attempt, 100, "dp_1"), now=NOW)] * 3
    assert classes(run_together([*refunds, *disputes])) == {type(None): 6}
    assert selectors.get_balance(tenant=tenant).balance_micros == 0


def spend(tenant: TenantId) -> None:
    settle(make_hold(tenant, 5), 5)


def credit_both(tenants: tuple[TenantId, ...]) -> None:
    batch = {tenant: [replace(CREDIT, idempotency_key=str(uuid7()), promo_source=uuid7())] for tenant in tenants}
    with transaction.atomic():
        post_batch(batch=batch, now=NOW)


@pytest.mark.failure("M43")
def test_webhook_spend_and_refund_in_every_order_never_deadlock_and_lose_nothing() -> None:
    tenants = (make_reserve(funds=1000), make_reserve(funds=1000))
    paid = [make_payment(tenant, 100 * CENT) for tenant in tenants]
    open_ = [
        [make_payment(tenant, 100 * CENT, state=PaymentState.OPEN) for tenant in tenants] for _ in permutations("abc")
    ]

    def live(order: tuple[str, ...], number: int) -> None:
        sides = tenants if number % 2 else tenants[::-1]
        for act in order:
            for tenant in sides:
                side = tenants.index(tenant)
                if act == "webhook":
                    fulfil_payment(payment=there(open_[number][side]), now=NOW + timedelta(seconds=number))
                elif act == "refund":
                    take_refund(refund=refund_of(paid[side], 3, f"re_{side}_{number}"), now=NOW)
                else:
                    spend(tenant)
            credit_both(sides)

    orders = list(permutations(("webhook", "spend", "refund")))
    acts: list[Act] = [
        lambda order=order, number=number: live(order, number)  # type: ignore[misc]
        for number, order in enumerate(orders)
    ]
    assert run_together(acts) == [None] * len(orders)
    for tenant in tenants:
        kinds = ReserveLedgerEntry.objects.filter(tenant_id=tenant).values_list("kind", flat=True)
        counts = {kind: list(kinds).count(kind) for kind in ("topup", "usage", "refund")}
        assert counts == {"topup": 7, "usage": 6, "refund": 6}
