"""What a usage costs: in Python, in the database, and again from the stored row."""

import itertools
import json
from fractions import Fraction

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from apps.billing import selectors
from apps.billing.models import UsageEvent
from apps.billing.models.rules import rounded_sum
from apps.billing.services.rating import (
    PricedLine,
    PriceTable,
    explain_charges,
    rate_ceiling,
    rate_usage,
    sum_charges,
)
from apps.billing.types import INPUT_CLASSES, MAX_QUANTITY, TOKEN_CLASSES, Charge, TokenClass, TokenUsage
from apps.common.ids import uuid7
from tests.factories.billing import make_hold, make_line, make_reserve, publish_prices, settle

UNIT_SIZES = [size for size in range(1, 1_000_001) if 1_000_000 % size == 0]


def make_priced(price: int, *, cost: int = 0, unit_size: int = 1_000_000) -> PricedLine:
    return PricedLine(id=uuid7(), unit_size=unit_size, price_micros=price, provider_cost_micros=cost)


def make_table(**prices: int) -> PriceTable:
    return PriceTable(lines={TokenClass(name): make_priced(price) for name, price in prices.items()})


counts = st.one_of(st.sampled_from([0, 1, 2, 999_999, 1_000_000]), st.integers(0, 10_000_000))
usages = st.builds(TokenUsage, input=counts, cached_input=counts, cache_write=counts, output=counts, reasoning=counts)


@st.composite
def priced_lines(draw: st.DrawFn) -> PricedLine:
    unit_size = draw(st.sampled_from(UNIT_SIZES))
    prices = st.integers(1, unit_size * 100_000)
    return make_priced(draw(prices), cost=draw(prices), unit_size=unit_size)


@st.composite
def tables(draw: st.DrawFn) -> PriceTable:
    present = draw(st.sets(st.sampled_from(TOKEN_CLASSES))) | {TokenClass.INPUT, TokenClass.OUTPUT}
    return PriceTable(lines={token_class: draw(priced_lines()) for token_class in sorted(present)})


def test_a_price_isrounded_sum_once_and_not_a_class() -> None:
    # 0.5 + 0.5 micros: rounding each class would charge two.
    table = make_table(input=500_000, output=500_000)
    assert rate_usage(table=table, usage=TokenUsage(input=1, output=1)).cost_micros == 1


@pytest.mark.parametrize(("tokens", "cost"), [(0, 0), (1, 0), (2, 1), (3, 1), (5, 1), (6, 2)])
def test_halves_arerounded_sum_up(tokens: int, cost: int) -> None:
    # A token costs a quarter of a micro, so two cost half a one.
    table = make_table(input=250_000, output=1)
    assert rate_usage(table=table, usage=TokenUsage(input=tokens)).cost_micros == cost


def test_a_class_without_a_line_costs_what_its_wider_class_costs() -> None:
    table = make_table(input=2_000_000, output=8_000_000)
    usage = TokenUsage(cached_input=1, cache_write=10, reasoning=100)
    assert rate_usage(table=table, usage=usage).cost_micros == 2 + 20 + 800


def test_a_class_with_a_line_of_its_own_costs_that() -> None:
    table = make_table(input=2_000_000, cached_input=1_000_000, output=8_000_000, reasoning=9_000_000)
    assert rate_usage(table=table, usage=TokenUsage(cached_input=1, reasoning=100)).cost_micros == 901


def test_the_example_of_the_usage_page() -> None:
    table = make_table(input=150_000, output=600_000)
    rated = rate_usage(table=table, usage=TokenUsage(input=1240, output=310))
    text = explain_charges(charges=rated.charges, cost_micros=rated.cost_micros)
    assert text == "1,240 input tokens x $0.15/1M + 310 output x $0.60/1M = $0.000372"


@pytest.mark.parametrize(("unit_size", "unit"), [(1_000, "1K"), (1, "1"), (500_000, "500,000")])
def test_an_explanation_names_the_unit(unit_size: int, unit: str) -> None:
    charge = Charge(uuid7(), TokenClass.CACHED_INPUT, 5, unit_size, 20_000, 0)
    assert explain_charges(charges=[charge], cost_micros=7) == f"5 cached input tokens x $0.02/{unit} = $0.000007"


def test_an_explanation_says_what_was_not_charged() -> None:
    charge = Charge(uuid7(), TokenClass.INPUT, 450, 1, 10_000, 0)
    text = explain_charges(charges=[charge], cost_micros=3_000_000, excess_micros=1_500_000)
    assert text == "450 input tokens x $0.01/1 = $4.50, of which $1.50 was not charged"


def test_an_explanation_of_nothing() -> None:
    assert explain_charges(charges=[], cost_micros=0) == "nothing = $0.00"


@pytest.mark.parametrize("count", [-1, MAX_QUANTITY + 1])
def test_a_count_out_of_bounds_is_no_usage(count: int) -> None:
    with pytest.raises(ValueError, match="bounds"):
        TokenUsage(output=count)


@given(table=tables(), usage=usages)
def test_the_price_is_the_nearest_micro_of_the_exact_sum(table: PriceTable, usage: TokenUsage) -> None:
    exact = sum(
        (Fraction(count) * table.line_for(token_class).unit_price for token_class, count in usage.by_class().items()),
        Fraction(0),
    )
    cost = rate_usage(table=table, usage=usage).cost_micros
    assert -Fraction(1, 2) < cost - exact <= Fraction(1, 2)


@given(table=tables(), usage=usages)
def test_no_usage_within_the_ceiling_costs_more_than_it(table: PriceTable, usage: TokenUsage) -> None:
    sides = usage.by_class()
    inputs = sum(sides[token_class] for token_class in INPUT_CLASSES)
    ceiling = TokenUsage(input=inputs, output=sum(sides.values()) - inputs)
    price, provider = rate_ceiling(table=table, ceiling=ceiling)
    rated = rate_usage(table=table, usage=usage)
    assert (rated.cost_micros <= price, rated.provider_cost_micros <= provider) == (True, True)


@pytest.mark.django_db
def test_the_database_accepts_every_price_that_python_computes() -> None:
    """Over odd prices and units, and recomputed from the stored row."""
    sizes = itertools.cycle([1, 8, 64, 1_000, 15_625, 1_000_000])
    lines = [
        make_line("odd", token_class, price=price, cost=price // 3, unit_size=next(sizes))
        for token_class, price in zip(TOKEN_CLASSES, (99_999, 1, 4_999_999, 7, 333_333), strict=True)
    ]
    publish_prices(*lines)
    tenant = make_reserve(funds=10**14)
    for step in range(1, 30):
        usage = TokenUsage(step % 7, step * 3 % 11, step * step, step * 1_001, step * 99_991 % 1_000)
        event_id = settle(make_hold(tenant, 10**6, model="odd"), usage).usage_event_id
        event = UsageEvent.objects.get(pk=event_id)
        recomputed = sum_charges(Charge.from_json(charge) for charge in event.charges)
        assert recomputed == (event.cost_micros + event.excess_micros, event.provider_cost_micros)
        assert selectors.explain_event(event)
    connection.check_constraints()


@pytest.mark.django_db
@given(table=tables(), usage=usages)
def test_the_database_rounds_as_python_does(table: PriceTable, usage: TokenUsage) -> None:
    rated = rate_usage(table=table, usage=usage)
    formula = rounded_sum("price_micros")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ({formula})::bigint FROM jsonb_to_recordset(%s::jsonb) AS c(quantity numeric, unit_size numeric,"  # noqa: S608
            " price_micros numeric)",
            [json.dumps([charge.to_json() for charge in rated.charges])],
        )
        assert cursor.fetchone() == (rated.cost_micros,)
