"""How far each policy lets spending go."""

from collections.abc import Callable

import pytest

from apps.billing import selectors
from apps.billing.types import InsufficientReserve, Policy
from tests.factories.billing import (
    NOW,
    claw_back,
    fund,
    get_account,
    make_hold,
    make_lines,
    make_quote,
    make_reserve,
    publish_prices,
    settle,
)

pytestmark = pytest.mark.django_db
Commit = Callable[[], None]

ESSENTIAL = "essential-model"
FREE = "free-model"


@pytest.fixture(autouse=True)
def _prices() -> None:
    essential = make_lines(ESSENTIAL)
    for line in essential:
        line.is_essential = True
    publish_prices(*make_lines(), *essential, *make_lines(FREE, price=0, cost=0))


@pytest.mark.parametrize(
    ("policy", "model", "most"),
    [
        (Policy.BLOCK, "plain-model", 100),
        (Policy.BLOCK, ESSENTIAL, 100),
        (Policy.WARN, "plain-model", 150),
        (Policy.LIMITED, "plain-model", 100),
        (Policy.LIMITED, ESSENTIAL, 150),
    ],
)
def test_a_policy_lets_exactly_so_much_be_held(commit: Commit, policy: Policy, model: str, most: int) -> None:
    tenant = make_reserve(funds=100, policy=policy, floor=-50)
    with pytest.raises(InsufficientReserve):
        make_hold(tenant, most + 1, model=model)
    make_hold(tenant, most, model=model)
    commit()


def test_what_is_held_cannot_be_held_again(commit: Commit) -> None:
    tenant = make_reserve(funds=100)
    make_hold(tenant, 60)
    with pytest.raises(InsufficientReserve):
        make_hold(tenant, 41)
    make_hold(tenant, 40)
    commit()


def test_a_free_call_needs_no_money(commit: Commit) -> None:
    tenant = make_reserve()
    settlement = settle(make_hold(tenant, 500, model=FREE), 400)
    commit()
    assert (settlement.cost_micros, settlement.ledger_entry_id) == (0, None)


@pytest.mark.failure("M24")
def test_after_a_clawback_below_zero_nothing_is_spent_until_the_balance_is_back(commit: Commit) -> None:
    tenant = make_reserve(funds=100, policy=Policy.WARN, floor=-1000)
    claw_back(tenant, 101)
    with pytest.raises(InsufficientReserve):
        make_hold(tenant, 1)
    fund(tenant, 1)
    make_hold(tenant, 1)
    commit()
    assert not get_account(tenant).is_stopped


def test_a_clawback_that_leaves_money_stops_nothing(commit: Commit) -> None:
    tenant = make_reserve(funds=100)
    claw_back(tenant, 40)
    make_hold(tenant, 60)
    commit()
    assert not get_account(tenant).is_stopped


def test_a_stopped_reserve_stays_stopped_while_credit_leaves_it_below_zero() -> None:
    tenant = make_reserve(funds=100, policy=Policy.WARN)
    claw_back(tenant, 500)
    fund(tenant, 100)
    assert get_account(tenant).is_stopped
    assert selectors.get_spendable(tenant=tenant) == 0


@pytest.mark.failure("M24")
def test_a_clawback_may_go_below_any_floor(commit: Commit) -> None:
    tenant = make_reserve(funds=100, floor=-10)
    claw_back(tenant, 1000)
    commit()
    assert selectors.get_balance(tenant=tenant).balance_micros == -900


def test_what_may_be_spent_is_told_beforehand() -> None:
    tenant = make_reserve(funds=100, policy=Policy.LIMITED, floor=-50)
    assert selectors.get_spendable(tenant=tenant) == 100
    assert selectors.get_spendable(tenant=tenant, is_essential=True) == 150


def test_a_quote_is_essential_only_when_all_its_lines_are() -> None:
    mixed = make_lines("mixed-model")
    mixed[0].is_essential = True
    publish_prices(*mixed, valid_from=NOW)
    assert not make_quote(make_reserve(), 1, model="mixed-model").is_essential
