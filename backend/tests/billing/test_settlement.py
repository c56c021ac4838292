"""Spending on a call: hold, then settle, release or expire."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from apps.billing import selectors
from apps.billing.models import LossEntry, ReserveHold, ReserveLedgerEntry, UsageEvent
from apps.billing.services import holds
from apps.billing.types import (
    EntryKind,
    HoldNotOpen,
    HoldState,
    HoldView,
    IdempotencyMismatch,
    InsufficientReserve,
    LossReason,
    NoReserve,
    TokenUsage,
)
from apps.common.errors import NotFound
from apps.common.ids import uuid7
from tests.factories.billing import (
    LEASE,
    LONG_AGO,
    NOW,
    claw_back,
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


@pytest.fixture(autouse=True)
def _prices() -> None:
    publish_prices()


def test_a_hold_lowers_what_is_available_but_not_the_balance(commit: Commit) -> None:
    tenant = make_reserve(funds=1000)
    make_hold(tenant, 300)
    commit()
    balance = selectors.get_balance(tenant=tenant)
    assert (balance.balance_micros, balance.held_micros, balance.available_micros) == (1000, 300, 700)


def test_a_settled_call_costs_what_it_used(commit: Commit) -> None:
    tenant = make_reserve(funds=1000)
    settlement = settle(make_hold(tenant, 300), TokenUsage(input=100, output=20))
    commit()
    balance = selectors.get_balance(tenant=tenant)
    assert (settlement.cost_micros, settlement.loss_micros) == (120, 0)
    assert (balance.balance_micros, balance.held_micros, balance.available_micros) == (880, 0, 880)


def test_a_settlement_leaves_one_event_and_one_entry_that_agree(commit: Commit) -> None:
    tenant = make_reserve(funds=1000)
    settlement = settle(make_hold(tenant, 300), 120)
    commit()
    event = UsageEvent.objects.get(pk=settlement.usage_event_id)
    entry = ReserveLedgerEntry.objects.get(hold_id=event.hold_id)
    assert (entry.kind, entry.amount_micros, entry.hold_id) == (EntryKind.USAGE, -120, event.hold_id)
    assert (event.cost_micros, event.settlement_id, event.provider_cost_micros) == (120, entry.id, 48)
    assert settlement.ledger_entry_id == entry.id


def test_usage_above_the_hold_is_a_loss_of_the_house(commit: Commit) -> None:
    tenant = make_reserve(funds=1000)
    settlement = settle(make_hold(tenant, 300), 450)
    commit()
    loss = LossEntry.objects.get(tenant_id=tenant)
    assert (settlement.cost_micros, settlement.loss_micros) == (300, 150)
    assert (loss.reason, loss.unbilled_micros, loss.provider_cost_micros) == (LossReason.ABOVE_HOLD, 150, 0)
    assert selectors.get_balance(tenant=tenant).balance_micros == 700


@pytest.mark.failure("M24")
def test_a_settlement_never_ends_below_the_floor_after_a_clawback(commit: Commit) -> None:
    tenant = make_reserve(funds=1000, floor=0)
    hold = make_hold(tenant, 300)
    claw_back(tenant, 900)
    settlement = settle(hold, 250)
    commit()
    assert (settlement.cost_micros, settlement.loss_micros) == (100, 150)
    assert LossEntry.objects.get(tenant_id=tenant).reason == LossReason.BELOW_FLOOR


def test_a_call_that_used_nothing_is_settled_without_an_entry(commit: Commit) -> None:
    tenant = make_reserve(funds=1000)
    settlement = settle(make_hold(tenant, 300), 0)
    commit()
    assert (settlement.ledger_entry_id, settlement.cost_micros) == (None, 0)
    assert selectors.get_balance(tenant=tenant).available_micros == 1000


def test_a_released_hold_leaves_no_trace_of_money(commit: Commit) -> None:
    tenant = make_reserve(funds=1000)
    hold = make_hold(tenant, 300)
    holds.release_hold(tenant=tenant, hold_id=hold.id, now=NOW)
    commit()
    assert selectors.get_balance(tenant=tenant).available_micros == 1000
    assert not UsageEvent.objects.exists()
    assert not LossEntry.objects.exists()


@pytest.mark.parametrize("reason", [LossReason.OUTCOME_UNKNOWN, LossReason.USAGE_UNKNOWN])
def test_an_expired_hold_is_a_loss_at_the_ceiling(commit: Commit, reason: LossReason) -> None:
    tenant = make_reserve(funds=1000)
    hold = make_hold(tenant, 300)
    holds.expire_hold(tenant=tenant, hold_id=hold.id, reason=reason, now=NOW)
    commit()
    loss = LossEntry.objects.get(call_id=hold.call_id)
    assert (loss.reason, loss.unbilled_micros, loss.provider_cost_micros) == (reason, 300, 120)
    assert selectors.get_balance(tenant=tenant).available_micros == 1000


def test_an_expiry_takes_no_reason_of_a_settlement() -> None:
    hold = make_hold(make_reserve(funds=1000), 300)
    with pytest.raises(ValueError, match="settlement"):
        holds.expire_hold(tenant=hold.tenant, hold_id=hold.id, reason=LossReason.ABOVE_HOLD, now=NOW)


def end(hold: HoldView, state: HoldState) -> None:
    if state is HoldState.SETTLED:
        settle(hold, 10)
    elif state is HoldState.RELEASED:
        holds.release_hold(tenant=hold.tenant, hold_id=hold.id, now=NOW)
    else:
        holds.expire_hold(tenant=hold.tenant, hold_id=hold.id, reason=LossReason.OUTCOME_UNKNOWN, now=NOW)


ENDS = (HoldState.SETTLED, HoldState.RELEASED, HoldState.EXPIRED)


@pytest.mark.parametrize("second", ENDS)
@pytest.mark.parametrize("first", ENDS)
def test_the_first_end_of_a_hold_wins(commit: Commit, first: HoldState, second: HoldState) -> None:
    hold = make_hold(make_reserve(funds=1000), 300)
    end(hold, first)
    with pytest.raises(HoldNotOpen):
        end(hold, second)
    commit()
    assert ReserveHold.objects.get(pk=hold.id).state == first


def test_a_compare_and_set_that_lost_does_not_free_the_money_twice() -> None:
    hold = make_hold(make_reserve(funds=1000), 300)
    account, row = get_account(hold.tenant), ReserveHold.objects.get(pk=hold.id)
    end(hold, HoldState.RELEASED)
    with pytest.raises(HoldNotOpen):
        holds.close_hold(account=account, hold=row, to=HoldState.EXPIRED, now=NOW)
    assert account.held_micros == 300


def test_another_tenants_hold_is_not_found() -> None:
    hold = make_hold(make_reserve(funds=1000), 300)
    stranger = make_reserve(funds=1000)
    with pytest.raises(NotFound):
        holds.release_hold(tenant=stranger, hold_id=hold.id, now=NOW)


def test_a_renewed_hold_has_a_fresh_lease() -> None:
    hold = make_hold(make_reserve(funds=1000), 300)
    later = NOW + timedelta(minutes=2)
    holds.renew_hold(tenant=hold.tenant, hold_id=hold.id, now=later, lease=LEASE)
    assert ReserveHold.objects.get(pk=hold.id).expires_at == later + LEASE


def test_an_ended_hold_cannot_be_renewed() -> None:
    hold = make_hold(make_reserve(funds=1000), 300)
    end(hold, HoldState.RELEASED)
    with pytest.raises(HoldNotOpen):
        holds.renew_hold(tenant=hold.tenant, hold_id=hold.id, now=NOW, lease=LEASE)


def test_the_same_operation_gets_the_same_hold(commit: Commit) -> None:
    tenant, job, call = make_reserve(funds=1000), uuid7(), uuid7()
    first = make_hold(tenant, 300, key="op", job_id=job, call_id=call)
    second = make_hold(tenant, 300, key="op", job_id=job, call_id=call)
    commit()
    assert (first.is_replay, second.is_replay, first.id) == (False, True, second.id)
    assert selectors.get_balance(tenant=tenant).held_micros == 300


def test_the_retry_of_a_committed_hold_is_not_refused_for_money() -> None:
    tenant, job, call = make_reserve(funds=300), uuid7(), uuid7()
    first = make_hold(tenant, 300, key="op", job_id=job, call_id=call)
    settle(first, 300)
    again = make_hold(tenant, 300, key="op", job_id=job, call_id=call)
    assert (again.is_replay, again.state) == (True, HoldState.SETTLED)


def test_the_same_operation_for_another_call_is_a_conflict() -> None:
    tenant = make_reserve(funds=1000)
    make_hold(tenant, 300, key="op")
    with pytest.raises(IdempotencyMismatch):
        make_hold(tenant, 300, key="op")


def test_the_same_operation_with_another_ceiling_is_a_conflict() -> None:
    tenant, job, call = make_reserve(funds=1000), uuid7(), uuid7()
    make_hold(tenant, 300, key="op", job_id=job, call_id=call)
    with pytest.raises(IdempotencyMismatch):
        make_hold(tenant, 301, key="op", job_id=job, call_id=call)


def test_new_prices_do_not_turn_a_retry_into_a_conflict() -> None:
    tenant, job, call = make_reserve(funds=1000), uuid7(), uuid7()
    first = make_hold(tenant, 300, key="op", job_id=job, call_id=call)
    publish_prices(*make_lines(price=2_000_000), valid_from=NOW)
    again = make_hold(tenant, 300, key="op", job_id=job, call_id=call)
    assert (again.id, again.amount_micros, again.rate_version_id) == (first.id, 300, first.rate_version_id)


def test_a_call_is_settled_by_the_prices_of_its_hold(commit: Commit) -> None:
    tenant = make_reserve(funds=1000)
    hold = make_hold(tenant, 300)
    publish_prices(*make_lines(price=2_000_000), valid_from=NOW)
    assert settle(hold, 100).cost_micros == 100
    assert settle(make_hold(tenant, 300), 100).cost_micros == 200
    commit()


def test_without_an_account_nothing_can_be_held() -> None:
    quote = make_quote(make_reserve(funds=1000), 10)
    with pytest.raises(NoReserve):
        holds.place_hold(
            tenant=uuid7(),  # type: ignore[arg-type]
            operation_key="op",
            quote=quote,
            job_id=uuid7(),
            call_id=uuid7(),
            now=LONG_AGO,
            lease=LEASE,
        )


def test_a_refused_hold_leaves_nothing_behind(commit: Commit) -> None:
    tenant = make_reserve(funds=299)
    with pytest.raises(InsufficientReserve):
        make_hold(tenant, 300)
    commit()
    assert not ReserveHold.objects.filter(tenant_id=tenant).exists()
