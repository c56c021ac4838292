"""Charts and exact amounts, without a page around them."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from apps.backend.billing import PriceLine
from apps.backend.pages import read
from apps.backend.usage import UsageGroup
from apps.billing.charts import usage_bars
from apps.billing.prices import price_table
from apps.billing.reckoning import format_exact, format_quantity, format_unit_price, name_of_class
from tests.fakes import money_shapes as money

DAY = date(2026, 11, 2)


def group(key: str, cost: int) -> UsageGroup:
    return UsageGroup(key=key, label=key, cost_micros=cost, not_charged_micros=0, events=1, tokens_in=0, tokens_out=0)


def test_days_without_use_have_a_bar_of_no_height() -> None:
    bars = usage_bars([group("2026-11-02", 50), group("2026-11-04", 100)], first=None, last=None)
    assert [(bar.begins_on.day, bar.percent) for bar in bars] == [(2, 50), (3, 0), (4, 100)]


def test_the_chart_reaches_over_the_days_that_were_asked_for() -> None:
    bars = usage_bars([group("2026-11-02", 50)], first=DAY - timedelta(days=1), last=DAY + timedelta(days=2))
    assert [bar.cost_micros for bar in bars] == [0, 50, 0, 0]


def test_a_long_time_is_summed_by_months() -> None:
    bars = usage_bars(
        [group("2026-05-20", 50), group("2026-05-21", 50), group("2026-11-02", 25)], first=None, last=None
    )
    assert (len(bars), bars[0].is_month, bars[0].cost_micros, bars[-1].percent) == (7, True, 100, 25)


def test_an_endless_span_is_drawn_near_where_there_is_something() -> None:
    bars = usage_bars([group("2026-11-02", 50)], first=date(1, 1, 1), last=date.max)
    assert len(bars) < 12


@pytest.mark.parametrize("groups", [[], [group("soon", 1)]])
def test_nothing_to_draw_is_no_chart(groups: list[UsageGroup]) -> None:
    assert usage_bars(groups, first=None, last=None) == ()


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (Fraction(186), "$0.000186"),
        (Fraction(1, 2), "$0.0000005"),
        (Fraction(1, 3), "$0.000000333333…"),
        (Fraction(4_200_000), "$4.20"),
        (Fraction(0), "$0.00"),
    ],
)
def test_an_exact_amount_has_all_its_digits(micros: Fraction, text: str) -> None:
    assert format_exact(micros) == text


@pytest.mark.parametrize(
    ("size", "text"), [(1_000_000, "$0.15 per 1M"), (1_000, "$0.15 per 1K"), (1, "$0.15 each"), (7, "$0.15 per 7")]
)
def test_a_price_says_of_how_many(size: int, text: str) -> None:
    assert format_unit_price(150_000, unit_size=size) == text


@pytest.mark.parametrize(
    ("token_class", "meter", "name"),
    [
        ("cached_input", "llm.tokens", "Cached input tokens"),
        ("", "documents", "Documents"),
        ("", "of.tomorrow", "Of.tomorrow"),
        ("of_tomorrow", "llm.tokens", "Of_tomorrow"),
    ],
)
def test_what_is_counted_has_a_name(token_class: str, meter: str, name: str) -> None:
    assert name_of_class(token_class, meter=meter) == name


@pytest.mark.parametrize(
    ("quantity", "meter", "text"),
    [(1, "documents", "1 document"), (1200, "api.calls", "1,200 calls"), (2, "of.tomorrow", "2 of.tomorrow")],
)
def test_a_quantity_has_its_unit(quantity: int, meter: str, text: str) -> None:
    assert format_quantity(quantity, meter=meter) == text


def line(model: str, token_class: str, price: int, **over: object) -> PriceLine:
    return read(PriceLine, money.price_line(model_pattern=model, token_class=token_class, price_micros=price, **over))


def test_prices_stand_by_model_and_class_for_a_million_tokens() -> None:
    table = price_table(
        [line("gpt", "output", 900, unit_size=1_000), line("gpt", "input", 225_000), line("", "input", 1)]
    )
    assert table.headings == ("Input", "Output")
    assert [(row.name, row.prices) for row in table.models] == [
        ("gpt", ("$0.225", "$0.90")),
        ("Any model", ("$0.000001", "")),
    ]


def test_what_is_no_token_has_a_price_of_its_own() -> None:
    lines = [
        line("", "", 20_000, meter="storage.gb_month"),
        line("", "", 1_000, meter="api.calls", unit_size=1),
        line("", "", 0, meter="exports", is_free=True),
        line("", "", 5, meter="of.tomorrow", unit_size=1),
    ]
    assert [(row.name, row.prices[0]) for row in price_table(lines).others] == [
        ("Stored files", "$0.02 per GB-month"),
        ("API calls", "$0.001 each"),
        ("Exports of my data", "included"),
        ("of.tomorrow", "$0.000005 each"),
    ]
