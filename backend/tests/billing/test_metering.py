"""What is counted and over is charged at once: hold, event and entry in one commit."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from apps.billing import selectors
from apps.billing.cost_types import MeteredUse
from apps.billing.models import (
    LossEntry,
    RateLineItem,
    ReserveHold,
    ReserveLedgerEntry,
    UsageEvent,
)
from apps.billing.services.metering import quote_use, record_batch, record_use
from apps.billing.services.proof import prove_ledger
from apps.billing.types import (
    EntryKind,
    HoldState,
    IdempotencyMismatch,
    Meter,
    NoPrice,
    PlanTier,
    Policy,
    TokenUsage,
)
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from tests.factories.billing import (
    NOW,
    claw_back,
    get_account,
    make_hold,
    make_lines,
    make_quantity_line,
    make_reserve,
    publish_prices,
)

pytestmark = pytest.mark.django_db
Commit = Callable[[], None]


def price(*lines: RateLineItem, **more: Any) -> None:
    """Prices in force; without lines a document costs 20,000 micros and its provider 5,000."""
    publish_prices(*(lines or [make_quantity_line(Meter.DOCUMENTS, price=20_000, cost=5_000)]), *make_lines(), **more)


def document(tenant: TenantId, *, key: str = "d1", at: datetime = NOW, quantity: int = 1) -> UUID | None:
    return record_use(
        tenant=tenant, meter=Meter.DOCUMENTS, quantity=quantity, occurred_at=at, key=key, now=NOW + timedelta(hours=1)
    )


def event_of(found: UUID | None) -> UsageEvent:
    assert found is not None
    return UsageEvent.objects.get(pk=found)


def tokens(key: str, count: int = 10, **more: Any) -> MeteredUse:
    fields = {"meter": Meter.LLM_TOKENS, "model": "plain-model", "usage": TokenUsage(input=count), "occurred_at": NOW}
    return MeteredUse(**{**fields, "key": key, **more})


def test_a_use_is_held_settled_and_in_the_ledger(commit: Commit) -> None:
    price()
    tenant = make_reserve(funds=50_000)
    event = event_of(document(tenant))
    commit()
    assert (event.meter, event.quantity, event.cost_micros, event.provider_cost_micros) == (
        *("documents", 1),
        *(20_000, 5_000),
    )
    assert event.settlement is not None
    assert (event.settlement.amount_micros, event.settlement.description) == (-20_000, "1 document")
    assert event.hold.state == HoldState.SETTLED
    balance = selectors.get_balance(tenant=tenant)
    assert (balance.balance_micros, balance.held_micros) == (30_000, 0)


def test_a_use_of_no_job_stands_for_itself() -> None:
    price()
    event = event_of(document(make_reserve(funds=50_000)))
    assert event.job_id == event.call_id


def test_a_use_says_why_it_cost_that() -> None:
    price()
    tenant = make_reserve(funds=100_000)
    assert selectors.explain_event(event_of(document(tenant))) == "1 document x $0.02 each = $0.02"
    three = event_of(document(tenant, key="d2", quantity=3))
    assert selectors.explain_event(three) == "3 documents x $0.02 each = $0.06"


def test_a_free_use_is_counted_and_moves_nothing(commit: Commit) -> None:
    price(make_quantity_line(Meter.DOCUMENTS, price=0))
    tenant = make_reserve()
    event = event_of(document(tenant))
    commit()
    assert (event.cost_micros, event.settlement, event.quantity) == (0, None, 1)
    assert not ReserveLedgerEntry.objects.filter(tenant_id=tenant).exists()


@pytest.mark.failure("M31")
def test_a_meter_without_a_line_is_not_metered() -> None:
    publish_prices()
    tenant = make_reserve(funds=50_000)
    assert document(tenant) is None
    assert not UsageEvent.objects.exists()
    assert not ReserveHold.objects.exists()


@pytest.mark.failure("M31")
def test_without_prices_or_a_reserve_nothing_is_metered() -> None:
    assert document(make_reserve()) is None
    assert document(TenantId(uuid7())) is None
    price(plan=PlanTier.STARTER)
    assert document(make_reserve()) is None


@pytest.mark.failure("M30")
def test_a_late_event_has_the_price_of_its_time() -> None:
    price()
    price(make_quantity_line(Meter.DOCUMENTS, price=90_000), valid_from=NOW)
    tenant = make_reserve(funds=500_000)
    before, after = document(tenant, at=NOW - timedelta(seconds=1)), document(tenant, at=NOW, key="d2")
    costs = {event.id: (event.cost_micros, str(event.rate_version)) for event in UsageEvent.objects.all()}
    assert costs == {before: (20_000, "Free v1"), after: (90_000, "Free v2")}


@pytest.mark.failure("M31")
def test_what_happened_before_the_first_prices_is_not_metered() -> None:
    price(valid_from=NOW)
    assert document(make_reserve(funds=50_000), at=NOW - timedelta(seconds=1)) is None


@pytest.mark.failure("M32")
def test_what_the_reserve_does_not_cover_is_a_loss_of_the_house(commit: Commit) -> None:
    price()
    tenant = make_reserve(funds=15_000)
    event = event_of(document(tenant))
    commit()
    assert (event.cost_micros, event.excess_micros) == (15_000, 5_000)
    assert LossEntry.objects.get().unbilled_micros == 5_000
    assert get_account(tenant).balance_micros == 0


@pytest.mark.failure("M32")
def test_an_empty_reserve_pays_nothing_and_the_work_is_counted(commit: Commit) -> None:
    price()
    event = event_of(document(make_reserve()))
    commit()
    assert (event.cost_micros, event.excess_micros, event.settlement) == (0, 20_000, None)


def test_money_that_is_held_is_not_there_to_be_charged() -> None:
    price()
    tenant = make_reserve(funds=25_000)
    make_hold(tenant, 10_000)
    assert event_of(document(tenant)).cost_micros == 15_000


def test_a_reserve_that_may_owe_pays_down_to_its_floor() -> None:
    price()
    tenant = make_reserve(policy=Policy.WARN, floor=-12_000)
    assert event_of(document(tenant)).cost_micros == 12_000
    assert get_account(tenant).balance_micros == -12_000


@pytest.mark.failure("M24")
def test_after_a_clawback_nothing_is_charged_until_the_balance_is_back(commit: Commit) -> None:
    price()
    tenant = make_reserve(policy=Policy.WARN)
    claw_back(tenant, 10_000)
    event = event_of(document(tenant))
    commit()
    assert (event.cost_micros, event.excess_micros, get_account(tenant).balance_micros) == (0, 20_000, -10_000)


def test_only_what_is_essential_goes_below_zero_under_the_limited_policy() -> None:
    price(make_quantity_line(Meter.DOCUMENTS, price=20_000, is_essential=True), make_quantity_line(Meter.EXPORTS))
    tenant = make_reserve(policy=Policy.LIMITED)
    use = MeteredUse(meter=Meter.EXPORTS, quantity=1, key="e1", occurred_at=NOW)
    ids = [document(tenant), *record_batch(tenant=tenant, uses=[use], now=NOW)]
    assert [event_of(event).cost_micros for event in ids] == [20_000, 0]


@pytest.mark.failure("M36")
def test_the_same_event_twice_is_metered_once() -> None:
    price()
    tenant = make_reserve(funds=50_000)
    assert document(tenant) == document(tenant)
    assert get_account(tenant).balance_micros == 30_000


@pytest.mark.failure("M36")
def test_a_replay_is_answered_when_the_reserve_would_no_longer_cover_it() -> None:
    price()
    tenant = make_reserve(funds=20_000)
    first = document(tenant)
    assert document(tenant) == first
    assert not LossEntry.objects.exists()


@pytest.mark.failure("M36")
def test_the_same_id_in_another_tenant_is_another_event() -> None:
    price()
    one, other = make_reserve(funds=50_000), make_reserve(funds=50_000)
    assert document(one) != document(other)
    assert [get_account(tenant).balance_micros for tenant in (one, other)] == [30_000, 30_000]


@pytest.mark.failure("M15", "M36")
@pytest.mark.parametrize("change", [{"quantity": 2}, {"at": NOW - timedelta(seconds=1)}])
def test_the_same_id_for_something_else_is_refused(change: dict[str, Any]) -> None:
    price()
    tenant = make_reserve(funds=50_000)
    document(tenant)
    with pytest.raises(IdempotencyMismatch):
        document(tenant, **change)
    assert get_account(tenant).balance_micros == 30_000


@pytest.mark.race
@pytest.mark.failure("M36")
@pytest.mark.django_db(transaction=True)
def test_the_same_event_in_many_sessions_at_once_is_metered_once() -> None:
    price()
    tenant, barrier = make_reserve(funds=100_000), Barrier(8)

    def post(_: int) -> UUID | None:
        try:
            barrier.wait(timeout=20)
            return document(tenant)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(post, range(8)))) == 1
    assert get_account(tenant).balance_micros == 80_000
    assert prove_ledger(now=NOW + timedelta(hours=1)).is_ok


def test_a_batch_settles_many_uses_in_order_until_the_money_is_gone(commit: Commit) -> None:
    price()
    tenant = make_reserve(funds=25)
    ids = record_batch(tenant=tenant, uses=[tokens(f"t{number}") for number in range(4)], now=NOW)
    commit()
    events = [event_of(event) for event in ids]
    assert [event.cost_micros for event in events] == [10, 10, 5, 0]
    assert [event.settlement.seq if event.settlement else None for event in events] == [2, 3, 4, None]
    assert LossEntry.objects.count() == 2
    assert prove_ledger(now=NOW).is_ok


@pytest.mark.failure("M36")
def test_a_batch_knows_what_it_has_seen_before_and_within_itself() -> None:
    price()
    tenant = make_reserve(funds=1000)
    [first] = record_batch(tenant=tenant, uses=[tokens("t1")], now=NOW)
    again = record_batch(tenant=tenant, uses=[tokens("t1"), tokens("t2"), tokens("t2")], now=NOW)
    assert again[0] == first
    assert again[1] == again[2]
    assert get_account(tenant).balance_micros == 980


def test_a_batch_takes_tokens_and_quantities_and_leaves_out_what_has_no_line() -> None:
    price()
    tenant = make_reserve(funds=50_000)
    uses = [
        tokens("t1", job_id=uuid7(), provider_request_id="r", duration_ms=5),
        MeteredUse(meter=Meter.EXPORTS, quantity=1, key="e1", occurred_at=NOW),
        MeteredUse(meter=Meter.DOCUMENTS, quantity=1, key="d1", occurred_at=NOW),
    ]
    ids = record_batch(tenant=tenant, uses=uses, now=NOW)
    assert [event is None for event in ids] == [False, True, False]
    entries = ReserveLedgerEntry.objects.filter(kind=EntryKind.USAGE).order_by("seq")
    assert [entry.description for entry in entries] == ["10 tokens, plain-model", "1 document"]


def test_tokens_without_a_price_are_never_silently_free() -> None:
    price()
    with pytest.raises(NoPrice):
        record_batch(tenant=make_reserve(), uses=[tokens("t1", model="unheard-of")], now=NOW)


def test_a_batch_costs_the_same_statements_whatever_its_size(django_assert_max_num_queries: Any) -> None:
    price()
    tenant = make_reserve(funds=100_000)
    with django_assert_max_num_queries(14):
        record_batch(tenant=tenant, uses=[tokens(f"t{number}") for number in range(100)], now=NOW)


def test_nothing_to_meter_writes_nothing() -> None:
    assert record_batch(tenant=make_reserve(), uses=[], now=NOW) == []


@pytest.mark.parametrize(
    "fields",
    [
        {"meter": Meter.LLM_TOKENS, "quantity": 1},
        {"meter": Meter.LLM_TOKENS, "quantity": 1, "model": "m"},
        {"meter": Meter.DOCUMENTS, "model": "m"},
        {"meter": Meter.DOCUMENTS, "usage": TokenUsage(input=1)},
        {"meter": Meter.DOCUMENTS, "quantity": -1},
        {"meter": Meter.DOCUMENTS, "quantity": 10**9 + 1},
    ],
)
def test_a_use_is_either_tokens_of_a_model_or_a_quantity(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="quantity"):
        MeteredUse(key="k", occurred_at=NOW, **fields)


def test_a_quote_tells_what_a_use_would_cost() -> None:
    tenant = make_reserve()
    assert quote_use(tenant=tenant, meter=Meter.DOCUMENTS, quantity=1, at=NOW) == 0
    price()
    assert quote_use(tenant=tenant, meter=Meter.DOCUMENTS, quantity=3, at=NOW) == 60_000
    assert quote_use(tenant=tenant, meter=Meter.EXPORTS, quantity=3, at=NOW) == 0
