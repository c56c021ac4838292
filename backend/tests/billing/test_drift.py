"""No micro is lost between a price and the ledger, however many events and however odd the rates."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from django.db import IntegrityError, connection
from django.db.models import Sum
from hypothesis import find, given, settings
from hypothesis import strategies as st

from apps.billing.cost_types import MeteredUse
from apps.billing.models import ReserveLedgerEntry, UsageEvent
from apps.billing.models.rules import rounded_sum
from apps.billing.services import metering
from apps.billing.services.ledger import EntryDraft
from apps.billing.services.metering import record_batch
from apps.billing.services.proof import prove_ledger
from apps.billing.services.rating import PriceTable, rate_quantity, rate_usage, sum_charges
from apps.billing.types import Charge, EntryKind, Meter, Rated, TokenClass, TokenUsage
from apps.common.money import round_half_up
from tests.billing.test_rating import make_priced, tables, usages
from tests.factories.billing import NOW, make_quantity_line, make_reserve, publish_prices

pytestmark = pytest.mark.failure("M28")

Bill = Callable[[list[Rated]], int]
_instants = itertools.count(1)


def bill_each(rated: list[Rated]) -> int:
    """As the product does: every event is rounded once, and the ledger has their sum."""
    return sum(event.cost_micros for event in rated)


def bill_rounded_aggregate(rated: list[Rated]) -> int:
    """The planted mistake: the exact prices are added up and the sum is rounded."""
    exact = (
        Fraction(charge.quantity * charge.price_micros, charge.unit_size) for event in rated for charge in event.charges
    )
    return round_half_up(sum(exact, Fraction(0)))


def recompute(rated: Iterable[Rated]) -> int:
    """What the proof reckons from the stored charges of each event."""
    stored = [[charge.to_json() for charge in event.charges] for event in rated]
    return sum(sum_charges(Charge.from_json(value) for value in charges)[0] for charges in stored)


def has_drifted(bill: Bill, rated: list[Rated]) -> bool:
    return bill(rated) != recompute(rated)


@given(table=tables(), uses=st.lists(usages, max_size=20))
def test_the_sum_of_the_events_is_the_ledger_and_each_is_recomputed_to_the_same(
    table: PriceTable, uses: list[TokenUsage]
) -> None:
    rated = [rate_usage(table=table, usage=usage) for usage in uses]
    assert not has_drifted(bill_each, rated)


def test_rounding_the_aggregate_would_be_caught() -> None:
    """The same property, with the mistake planted: Hypothesis finds the smallest use that shows it."""

    def rate(uses: list[int]) -> list[Rated]:
        table = PriceTable(lines={TokenClass.QUANTITY: make_priced(400_000)})
        return [rate_quantity(table=table, quantity=quantity) for quantity in uses]

    shown = find(
        st.lists(st.integers(0, 10)),
        lambda uses: has_drifted(bill_rounded_aggregate, rate(uses)),
        settings=settings(database=None),
    )
    # 0.4 and 0.4 round to nothing each; their sum rounds to a micro.
    assert shown == [1, 1]


@pytest.mark.django_db
@pytest.mark.parametrize(("price", "each"), [(400_000, 0), (500_000, 1), (600_000, 1), (1_400_000, 1)])
def test_a_million_events_cost_a_million_times_one(price: int, each: int) -> None:
    table = PriceTable(lines={TokenClass.QUANTITY: make_priced(price)})
    assert rate_quantity(table=table, quantity=1).cost_micros == each
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT sum(cost)::bigint FROM generate_series(1, 1000000) AS event CROSS JOIN LATERAL ("  # noqa: S608
            f"SELECT {rounded_sum('price_micros')} AS cost FROM (VALUES"
            f" (1::numeric + 0 * event, {price}::numeric, 1000000::numeric)) AS c(quantity, price_micros, unit_size)"
            f") AS rated"
        )
        assert cursor.fetchone() == (1_000_000 * each,)


def use(number: int, quantity: int = 1) -> MeteredUse:
    return MeteredUse(meter=Meter.DOCUMENTS, quantity=quantity, key=f"d{number}", occurred_at=NOW)


@pytest.mark.django_db
@settings(max_examples=15)
@given(
    price=st.integers(1, 10_000_000),
    quantities=st.lists(st.integers(0, 5000), min_size=1, max_size=25),
    funds=st.integers(1, 100_000),
)
def test_the_events_of_a_batch_are_in_the_ledger_to_the_micro(price: int, quantities: list[int], funds: int) -> None:
    # Each example is a version of its own, in force from the instant of its events on.
    at = NOW + next(_instants) * timedelta(seconds=1)
    publish_prices(make_quantity_line(Meter.DOCUMENTS, price=price, unit_size=1_000_000), valid_from=at)
    tenant = make_reserve(funds=funds)
    uses = [replace(use(number, quantity), occurred_at=at) for number, quantity in enumerate(quantities)]
    record_batch(tenant=tenant, uses=uses, now=at)
    events = UsageEvent.objects.filter(tenant_id=tenant).aggregate(
        paid=Sum("cost_micros", default=0), borne=Sum("excess_micros", default=0)
    )
    entries = ReserveLedgerEntry.objects.filter(tenant_id=tenant, kind=EntryKind.USAGE)
    assert entries.aggregate(sum=Sum("amount_micros", default=0))["sum"] == -events["paid"]
    whole = sum(round_half_up(Fraction(quantity * price, 1_000_000)) for quantity in quantities)
    assert (events["paid"], events["paid"] + events["borne"]) == (min(whole, funds), whole)


@pytest.mark.django_db
def test_many_events_of_less_than_a_micro_prove(commit: Callable[[], None]) -> None:
    publish_prices(make_quantity_line(Meter.DOCUMENTS, price=600_000, unit_size=1_000_000))
    tenant = make_reserve(funds=1000)
    record_batch(tenant=tenant, uses=[use(number) for number in range(200)], now=NOW)
    commit()
    usage = ReserveLedgerEntry.objects.filter(tenant_id=tenant, kind=EntryKind.USAGE)
    assert usage.aggregate(sum=Sum("amount_micros"))["sum"] == -200
    assert prove_ledger(now=NOW).is_ok


@pytest.mark.django_db
def test_an_entry_that_carries_a_rounded_aggregate_is_refused_at_commit(
    commit: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_prices(make_quantity_line(Meter.DOCUMENTS, price=1_400_000, unit_size=1_000_000))
    draft = metering._draft

    def drift(use: MeteredUse, *, hold: object, billed: int) -> EntryDraft:
        # Five times 1.4 is 7 and not 5: the last entry makes up for it.
        return draft(use, hold=hold, billed=billed + 2 * (use.key == "d4"))  # type: ignore[arg-type]

    monkeypatch.setattr(metering, "_draft", drift)
    record_batch(tenant=make_reserve(funds=1000), uses=[use(number) for number in range(5)], now=NOW)
    with pytest.raises(IntegrityError, match="differs from its usage event"):
        commit()
