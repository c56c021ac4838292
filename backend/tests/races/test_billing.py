"""Money under real concurrency: threads, a barrier, and PostgreSQL's own locks."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from apps.billing import selectors
from apps.billing.models import LossEntry, ReserveHold, ReserveLedgerEntry, UsageEvent
from apps.billing.services import holds
from apps.billing.services.accounts import lock_account, open_account
from apps.billing.services.credits import adjust_reserve, grant_promo_credit
from apps.billing.services.ledger import EntryDraft, post_batch
from apps.billing.services.proof import prove_ledger
from apps.billing.services.rate_cards import create_draft, publish_version
from apps.billing.types import (
    EntryKind,
    HoldNotOpen,
    HoldState,
    HoldView,
    InsufficientReserve,
    LossReason,
    PlanTier,
    ReserveBusy,
    VersionIncomplete,
)
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.tenants.services import create_tenant
from tests.factories.accounts import make_staff
from tests.factories.billing import (
    LEASE,
    LONG_AGO,
    NOW,
    get_account,
    make_hold,
    make_lines,
    make_reserve,
    publish_prices,
    settle,
)

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

Act = Callable[[], Any]


def run_together(acts: Sequence[Act]) -> list[Any]:
    """Runs all at the same moment, each on a connection of its own; an exception is a result."""
    barrier = threading.Barrier(len(acts))

    def run(act: Act) -> Any:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=20)
            return act()
        except Exception as error:  # noqa: BLE001 - the test judges it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=len(acts)) as pool:
        return list(pool.map(run, acts))


def classes(results: Sequence[Any]) -> Counter[type]:
    return Counter(type(result) for result in results)


@pytest.fixture(autouse=True)
def _sound_ledger() -> Any:
    """Whatever the race did, the whole ledger must prove afterwards."""
    publish_prices()
    yield
    proof = prove_ledger(now=NOW)
    assert proof.is_ok, proof.first_broken


@pytest.mark.failure("M13")
def test_of_many_spends_exactly_as_many_succeed_as_there_are_funds_for() -> None:
    tenant = make_reserve(funds=715)
    results = run_together([lambda: make_hold(tenant, 100) for _ in range(20)])
    assert classes(results) == {HoldView: 7, InsufficientReserve: 13}
    with pytest.raises(InsufficientReserve):
        make_hold(tenant, 16)
    make_hold(tenant, 15)
    assert selectors.get_balance(tenant=tenant).available_micros == 0


def test_many_spends_that_settle_at_once_add_up() -> None:
    tenant = make_reserve(funds=1000)
    opened = [make_hold(tenant, 100) for _ in range(8)]
    run_together([lambda hold=hold: settle(hold, 60) for hold in opened])  # type: ignore[misc]
    balance = selectors.get_balance(tenant=tenant)
    assert (balance.balance_micros, balance.held_micros) == (1000 - 8 * 60, 0)


@pytest.mark.failure("M14")
def test_the_same_operation_at_once_makes_one_hold() -> None:
    tenant, job, call = make_reserve(funds=100), uuid7(), uuid7()
    results = run_together([lambda: make_hold(tenant, 100, key="op", job_id=job, call_id=call) for _ in range(8)])
    assert classes(results) == {HoldView: 8}
    assert len({hold.id for hold in results}) == 1
    assert sum(not hold.is_replay for hold in results) == 1


@pytest.mark.failure("M14")
def test_the_replay_of_a_spend_is_never_refused_while_others_take_the_rest() -> None:
    tenant, job, call = make_reserve(funds=300), uuid7(), uuid7()
    make_hold(tenant, 100, key="op", job_id=job, call_id=call)
    replays: list[Act] = [lambda: make_hold(tenant, 100, key="op", job_id=job, call_id=call) for _ in range(4)]
    spends: list[Act] = [lambda: make_hold(tenant, 100) for _ in range(4)]
    results = run_together([*replays, *spends])
    assert all(result.is_replay for result in results[:4])
    assert classes(results[4:]) == {HoldView: 2, InsufficientReserve: 2}


def end(hold: HoldView, state: HoldState) -> None:
    with transaction.atomic():
        if state is HoldState.SETTLED:
            settle(hold, 70)
        elif state is HoldState.RELEASED:
            holds.release_hold(tenant=hold.tenant, hold_id=hold.id, now=NOW)
        else:
            holds.expire_hold(tenant=hold.tenant, hold_id=hold.id, reason=LossReason.OUTCOME_UNKNOWN, now=NOW)


PAIRS = list(product((HoldState.SETTLED, HoldState.RELEASED, HoldState.EXPIRED), repeat=2))


@pytest.mark.failure("M12")
@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_of_two_ends_of_a_hold_exactly_one_wins(one: HoldState, other: HoldState) -> None:
    hold = make_hold(make_reserve(funds=100), 100)
    acts: list[Act] = [lambda state=state: end(hold, state) for state in (one, other) * 3]  # type: ignore[misc]
    assert classes(run_together(acts)) == {type(None): 1, HoldNotOpen: 5}
    state = ReserveHold.objects.get(pk=hold.id).state
    assert UsageEvent.objects.count() == (state == HoldState.SETTLED)
    assert LossEntry.objects.count() == (state == HoldState.EXPIRED)


def sweep() -> int:
    """As the sweeper does: each overdue hold in a transaction of its own."""
    ended = 0
    for hold in selectors.list_overdue_holds(now=NOW + LEASE, limit=100):
        try:
            end(hold, HoldState.EXPIRED)
        except HoldNotOpen:
            continue
        ended += 1
    return ended


@pytest.mark.failure("M39", "M37")
def test_two_sweepers_end_each_hold_once() -> None:
    tenant = make_reserve(funds=2000)
    opened = [make_hold(tenant, 100) for _ in range(10)]
    results = run_together([sweep, sweep, sweep])
    assert sum(results) == len(opened)
    assert LossEntry.objects.count() == len(opened)


@pytest.mark.failure("M38")
def test_a_slow_worker_and_the_sweeper_leave_one_outcome() -> None:
    tenant = make_reserve(funds=500)
    opened = [make_hold(tenant, 100) for _ in range(4)]
    late: list[Act] = [lambda hold=hold: end(hold, HoldState.SETTLED) for hold in opened]  # type: ignore[misc]
    results = run_together([sweep, *late, sweep])
    lost = results[0] + results[-1]
    assert classes(results[1:-1]) == Counter({type(None): 4 - lost, HoldNotOpen: lost}) - Counter()
    assert (UsageEvent.objects.count(), LossEntry.objects.count()) == (4 - lost, lost)
    assert selectors.get_balance(tenant=tenant).available_micros == 500 - 70 * (4 - lost)


def test_a_renewal_and_a_sweep_leave_one_outcome() -> None:
    hold = make_hold(make_reserve(funds=100), 100)

    def renew() -> None:
        holds.renew_hold(tenant=hold.tenant, hold_id=hold.id, now=NOW + LEASE, lease=LEASE)

    run_together([renew, sweep, renew, sweep])
    assert ReserveHold.objects.get(pk=hold.id).state in {HoldState.OPEN, HoldState.EXPIRED}


@pytest.mark.failure("M44")
def test_one_promotion_is_credited_once() -> None:
    tenant, source = make_reserve(), uuid7()

    def grant() -> Any:
        return grant_promo_credit(tenant=tenant, amount_micros=50, source=source, description="Welcome", now=NOW)

    results = run_together([grant] * 8)
    assert sum(not entry.is_replay for entry in results) == 1
    assert get_account(tenant).balance_micros == 50


@pytest.mark.failure("M44")
def test_one_adjustment_clicked_many_times_counts_once() -> None:
    tenant, staff = make_reserve(), make_staff()

    def adjust() -> Any:
        return adjust_reserve(
            actor=staff, tenant=tenant, amount_micros=50, reason="Goodwill", idempotency_key="k", now=NOW
        )

    results = run_together([adjust] * 8)
    assert len({entry.id for entry in results}) == 1
    assert get_account(tenant).balance_micros == 50


def test_one_account_opened_at_once_is_one_account() -> None:
    tenant = create_tenant(name="Eager", now=LONG_AGO)
    results = run_together([lambda: open_account(tenant=tenant, now=NOW)] * 6)
    assert classes(results) == {type(None): 6}
    assert get_account(tenant).balance_micros == 0


@pytest.mark.failure("M43")
def test_batches_over_the_same_accounts_in_any_order_never_deadlock() -> None:
    one, two = make_reserve(), make_reserve()

    def draft() -> EntryDraft:
        source = uuid7()
        return EntryDraft(
            kind=EntryKind.PROMO_CREDIT,
            amount_micros=1,
            idempotency_key=str(source),
            description="Welcome",
            promo_source=source,
        )

    def post(order: Sequence[TenantId]) -> None:
        for _ in range(8):
            with transaction.atomic():
                post_batch(batch={tenant: [draft(), draft()] for tenant in order}, now=NOW)

    results = run_together([lambda: post((one, two)), lambda: post((two, one))] * 3)
    assert classes(results) == {type(None): 6}
    assert ReserveLedgerEntry.objects.count() == 2 * 6 * 8 * 2


def test_a_reserve_that_somebody_keeps_locked_is_reported_busy_soon() -> None:
    tenant = make_reserve(funds=100)
    is_locked, may_go = threading.Event(), threading.Event()

    def keep() -> None:
        with transaction.atomic():
            lock_account(tenant=tenant)
            is_locked.set()
            may_go.wait(timeout=20)

    def spend() -> float:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '300ms'")
        is_locked.wait(timeout=20)
        started = time.monotonic()
        try:
            with pytest.raises(ReserveBusy):
                make_hold(tenant, 10)
        finally:
            may_go.set()
        return time.monotonic() - started

    kept, waited = run_together([keep, spend])
    assert kept is None
    assert waited < 5


def test_a_wait_that_is_cut_for_another_reason_is_not_called_busy() -> None:
    tenant = make_reserve(funds=100)
    is_locked, may_go = threading.Event(), threading.Event()

    def keep() -> None:
        with transaction.atomic():
            lock_account(tenant=tenant)
            is_locked.set()
            may_go.wait(timeout=20)

    def spend() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '200ms'")
        is_locked.wait(timeout=20)
        try:
            make_hold(tenant, 10)
        finally:
            may_go.set()

    assert classes(run_together([keep, spend])) == {type(None): 1, OperationalError: 1}


def test_the_product_waits_for_a_lock_only_a_few_seconds() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("4s",)


@pytest.mark.failure("M31")
def test_of_two_versions_published_at_once_for_one_instant_one_wins() -> None:
    later = NOW + timedelta(days=1)
    drafts = [create_draft(plan=PlanTier.FREE, lines=make_lines(), note="", now=NOW) for _ in range(2)]

    def publish(draft: Any) -> Any:
        return publish_version(actor=None, version_id=draft.id, valid_from=later, now=NOW).id

    results = run_together([lambda draft=draft: publish(draft) for draft in drafts])  # type: ignore[misc]
    assert sum(isinstance(result, VersionIncomplete) for result in results) == 1


@pytest.mark.failure("M30")
def test_prices_that_change_during_a_call_do_not_reach_it() -> None:
    tenant = make_reserve(funds=10_000)
    opened = [make_hold(tenant, 100) for _ in range(4)]
    draft = create_draft(plan=PlanTier.FREE, lines=make_lines(price=9_000_000), note="", now=NOW)
    acts: list[Act] = [lambda hold=hold: settle(hold, 100).cost_micros for hold in opened]  # type: ignore[misc]
    acts.append(lambda: publish_version(actor=None, version_id=draft.id, now=NOW).number)
    assert run_together(acts) == [100, 100, 100, 100, 2]
