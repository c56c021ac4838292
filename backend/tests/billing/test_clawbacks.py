"""Money that goes back: any number of refunds and disputes of a payment, in any order and any number of times."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations, product
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.billing.models import BillingDocument, PaymentAttempt, PaymentDispute, PaymentRefund
from apps.billing.payment_types import PaymentState, Suspicious, UnknownPayment
from apps.billing.services.accounts import compute_spendable
from apps.billing.services.ledger import post_entry
from apps.billing.services.payments.clawbacks import settle_clawbacks
from apps.billing.services.payments.disputes import take_dispute
from apps.billing.services.payments.refunds import take_refund
from apps.billing.services.proof import Findings, check_payments
from apps.billing.stripe_gateway import Dispute, Refund
from apps.billing.types import InsufficientReserve, Policy
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.mail.models import OutgoingMail
from tests.billing.bank import (
    Oracle,
    list_moves,
    lost,
    reinstated,
    say_dispute,
    say_refund,
    sum_taken,
    withdrawn,
    won,
)
from tests.factories.accounts import make_actor
from tests.factories.billing import (
    NOW,
    draft_of,
    fund,
    get_account,
    make_hold,
    make_payment,
    make_reserve,
    publish_prices,
    settle,
)

pytestmark = pytest.mark.django_db


def make_paid(cents: int = 1000) -> PaymentAttempt:
    return make_payment(make_reserve(), cents * 10_000)


def take(*said: Refund | Dispute) -> None:
    """Takes these in one by one; after each the database must agree."""
    for one in said:
        if isinstance(one, Refund):
            take_refund(refund=one, now=NOW)
        else:
            take_dispute(dispute=one, now=NOW)
        connection.check_constraints()


def failed(refund: Refund) -> Refund:
    return replace(refund, status="failed", failure_reason="expired_or_canceled_card")


@pytest.mark.failure("M23")
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_partial_refunds_and_the_rest_each_take_their_amount_once_in_any_order(order: tuple[int, ...]) -> None:
    payment = make_paid(1000)
    refunds = [say_refund(payment, cents) for cents in (100, 250, 50, 600)]
    take(*(refunds[index] for index in order), *(refunds[index] for index in order))
    assert list_moves(payment) == [("refund", -refunds[index].amount_cents) for index in order]
    assert sum_taken(payment) == 1000


@pytest.mark.failure("M23")
@pytest.mark.parametrize("fates", list(product([False, True], repeat=3)))
def test_each_refund_that_fails_later_is_credited_again(fates: tuple[bool, ...]) -> None:
    payment = make_paid(1000)
    refunds = [say_refund(payment, cents) for cents in (100, 200, 700)]
    take(*refunds)
    take(*2 * [failed(refund) for refund, fails in zip(refunds, fates, strict=True) if fails])
    standing = sum(refund.amount_cents for refund, fails in zip(refunds, fates, strict=True) if not fails)
    assert sum_taken(payment) == standing


@pytest.mark.failure("M23")
def test_a_refund_on_its_way_is_out_of_the_reserve_already() -> None:
    payment = make_paid(1000)
    refund = say_refund(payment, 300, status="pending")
    take(refund)
    assert sum_taken(payment) == 300
    take(replace(refund, status="succeeded"), refund)
    assert list_moves(payment) == [("refund", -300)]
    assert PaymentRefund.objects.get().state == "succeeded"


def test_a_refund_that_had_failed_before_we_heard_of_it_moves_nothing() -> None:
    payment = make_paid(1000)
    refund = say_refund(payment, 300)
    take(failed(refund), refund)
    assert list_moves(payment) == []


@pytest.mark.failure("M09")
def test_a_refund_that_is_told_before_its_payment_waits_for_it() -> None:
    payment = make_payment(make_reserve(), 10_000_000, state=PaymentState.OPEN)
    take(say_refund(payment, 400))
    assert list_moves(payment) == []
    with transaction.atomic():
        PaymentAttempt.objects.filter(pk=payment.pk).update(state=PaymentState.SUCCEEDED, closed_at=NOW)
        post_entry(tenant=TenantId(payment.tenant_id), draft=draft_of(payment), now=NOW)
    settle_clawbacks(attempt_id=payment.id, now=NOW)
    connection.check_constraints()
    assert sum_taken(payment) == 400


def spend_all(tenant: TenantId) -> None:
    publish_prices()
    settle(make_hold(tenant, get_account(tenant).balance_micros), get_account(tenant).balance_micros)


@pytest.mark.failure("M24")
def test_nothing_can_be_spent_until_the_balance_is_back() -> None:
    tenant = make_reserve(policy=Policy.WARN, floor=-1_000_000)
    payment = make_payment(tenant, 10_000_000)
    spend_all(tenant)
    take(say_refund(payment, 1000))
    account = get_account(tenant)
    assert (account.balance_micros, account.is_stopped) == (-10_000_000, True)
    fund(tenant, 9_999_999)
    with pytest.raises(InsufficientReserve):
        make_hold(tenant, 1)
    fund(tenant, 2)
    assert compute_spendable(account=get_account(tenant)) == 1_000_001


DISPUTE_LIVES: dict[str, tuple[list[Callable[[Dispute], Dispute]], int]] = {
    "opened": ([], 0),
    "closed without money": ([won], 0),
    "withdrawn": ([withdrawn], 600),
    "withdrawn, lost": ([withdrawn, lost], 600),
    "withdrawn, won, given back": ([withdrawn, won, reinstated], 0),
    "withdrawn, lost, given back all the same": ([withdrawn, lost, reinstated], 0),
}


@pytest.mark.failure("M25")
@pytest.mark.parametrize("life", DISPUTE_LIVES)
@pytest.mark.parametrize("times", [1, 3])
def test_a_dispute_moves_its_money_once_each_way_however_often_it_is_told(life: str, times: int) -> None:
    payment = make_paid(1000)
    steps, expected = DISPUTE_LIVES[life]
    dispute = say_dispute(payment, 600)
    take(dispute)
    for step in steps:
        dispute = step(dispute)
        take(*[dispute] * times)
    kinds = [kind for kind, _ in list_moves(payment)]
    assert sum_taken(payment) == expected
    assert kinds == ["dispute_withdrawn", "dispute_reinstated"][: len(kinds)]


@pytest.mark.failure("M25")
def test_a_dispute_does_not_go_back_to_what_it_was() -> None:
    payment = make_paid(1000)
    opened = say_dispute(payment, 600)
    out = withdrawn(opened)
    take(out, opened, reinstated(out), out, lost(out))
    assert PaymentDispute.objects.get().state == "reinstated"
    assert sum_taken(payment) == 0


@pytest.mark.failure("M25")
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_refunds_and_a_dispute_together_never_take_more_than_the_payment(order: tuple[int, ...]) -> None:
    payment = make_paid(1000)
    said: list[Refund | Dispute] = [say_refund(payment, 400), say_refund(payment, 300)]
    said.append(withdrawn(say_dispute(payment, 1000)))
    take(*(said[index] for index in order))
    assert sum_taken(payment) == 1000


@pytest.mark.failure("M25")
def test_a_refund_that_fails_beside_a_dispute_leaves_the_money_with_the_bank() -> None:
    payment = make_paid(1000)
    refund, dispute = say_refund(payment, 600), withdrawn(say_dispute(payment, 1000))
    take(refund, dispute, failed(refund))
    assert sum_taken(payment) == 1000
    take(reinstated(dispute))
    assert sum_taken(payment) == 0


@pytest.mark.failure("M25")
def test_a_dispute_that_found_all_refunded_takes_what_a_failed_refund_sets_free() -> None:
    payment = make_paid(1000)
    refund, dispute = say_refund(payment, 1000), withdrawn(say_dispute(payment, 1000))
    take(refund, dispute)
    assert list_moves(payment) == [("refund", -1000)]
    take(failed(refund))
    assert list_moves(payment) == [("refund", -1000), ("refund_reversed", 1000), ("dispute_withdrawn", -1000)]
    assert not get_account(TenantId(payment.tenant_id)).is_stopped


steps = st.one_of(
    st.tuples(st.just("refund"), st.integers(1, 1200), st.sampled_from(["pending", "succeeded", "failed"])),
    st.tuples(st.just("dispute"), st.integers(1, 1200), st.just("")),
    st.tuples(
        st.sampled_from(["fail", "succeed", "withdraw", "lose", "win", "reinstate", "again"]),
        st.integers(0, 5),
        st.just(""),
    ),
)


@pytest.mark.failure("M23", "M25")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, max_size=14))
def test_any_history_leaves_out_of_the_reserve_what_the_rule_says(history: list[tuple[str, int, str]]) -> None:
    oracle = Oracle(payment=make_paid(1000))
    for step, number, status in history:
        follow(oracle, step, number, status)
        connection.check_constraints()
        taken = sum_taken(oracle.payment)
        assert taken * 10_000 == oracle.expect_micros()
        assert 0 <= taken <= 1000
    assert list(check_payments(Findings())) == []


def follow(oracle: Oracle, step: str, number: int, status: str) -> None:
    """One thing that happens at the bank, or is told again."""
    if step == "refund":
        oracle.refunds.append(say_refund(oracle.payment, number, status=status))
        return oracle.tell(refunds=[len(oracle.refunds) - 1], disputes=[])
    if step == "dispute":
        oracle.disputes.append(say_dispute(oracle.payment, number))
        return oracle.tell(refunds=[], disputes=[len(oracle.disputes) - 1])
    if step == "again":
        return oracle.tell(refunds=list(range(len(oracle.refunds))), disputes=list(range(len(oracle.disputes))))
    if step in ("fail", "succeed") and number < len(oracle.refunds):
        refund = oracle.refunds[number]
        if step == "fail" or refund.status == "pending":
            oracle.refunds[number] = failed(refund) if step == "fail" else replace(refund, status="succeeded")
        return oracle.tell(refunds=[number], disputes=[])
    if step not in ("fail", "succeed") and number < len(oracle.disputes):
        oracle.disputes[number] = advance(oracle.disputes[number], step)
        return oracle.tell(refunds=[], disputes=[number])
    return None


def advance(dispute: Dispute, step: str) -> Dispute:
    moved: dict[str, dict[str, Any]] = {
        "withdraw": {"is_withdrawn": True},
        "lose": {"status": "lost"},
        "win": {"status": "won"},
        "reinstate": {"is_reinstated": dispute.is_withdrawn},
    }
    return replace(dispute, **moved[step])


def test_a_refund_leaves_a_credit_note_when_it_has_arrived_and_one_mail() -> None:
    owner = make_actor()
    payment = make_payment(owner.tenant, 10_000_000)
    refund = say_refund(payment, 250, status="pending")
    take(refund)
    assert BillingDocument.objects.count() == 0
    take(*[replace(refund, status="succeeded")] * 2)
    assert BillingDocument.objects.get().amount_micros == 2_500_000
    mail = OutgoingMail.objects.get(kind="refund_made")
    assert (mail.user_id, mail.context["amount"], mail.context["balance"]) == (owner.user_id, "$2.50", "$7.50")


def test_a_dispute_is_told_to_the_owners_once() -> None:
    owner = make_actor()
    dispute = say_dispute(make_payment(owner.tenant, 10_000_000), 1000)
    take(dispute, withdrawn(dispute), lost(withdrawn(dispute)))
    assert OutgoingMail.objects.filter(kind="dispute_opened", user_id=owner.user_id).count() == 1


def test_money_of_a_payment_that_is_not_ours_is_not_taken_from_anybody() -> None:
    stranger = PaymentAttempt(stripe_payment_intent_id="pi_of_somebody_else")
    with pytest.raises(UnknownPayment):
        take_refund(refund=say_refund(stranger, 100), now=NOW)
    with pytest.raises(UnknownPayment):
        take_dispute(dispute=say_dispute(stranger, 100), now=NOW)
    with pytest.raises(UnknownPayment):
        settle_clawbacks(attempt_id=uuid7(), now=NOW)


def test_another_currency_or_a_changed_amount_is_left_to_people() -> None:
    payment = make_paid(1000)
    refund = say_refund(payment, 100)
    with pytest.raises(Suspicious):
        take(replace(refund, currency="eur"))
    with pytest.raises(Suspicious):
        take(replace(say_dispute(payment, 100), currency="eur"))
    take(refund)
    with pytest.raises(Suspicious):
        take(replace(refund, amount_cents=101))
    assert sum_taken(payment) == 100
