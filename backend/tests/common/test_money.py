"""Exact money: integers in, text out, one rounding."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.money import cents_as_dollars, format_dollars, micros_to_cents, round_half_up

MICROS = st.integers(min_value=-(10**15), max_value=10**15)


@pytest.mark.parametrize(
    ("micros", "digits", "text"),
    [
        (4_200_000, 2, "4.20"),
        (372, 2, "0.000372"),
        (-5_000_000, 2, "-5.00"),
        (-1, 2, "-0.000001"),
        (40_000, 4, "0.0400"),
        (3_000_000, 0, "3"),
        (0, 2, "0.00"),
    ],
)
def test_dollars_show_every_digit_that_is_there(micros: int, digits: int, text: str) -> None:
    assert format_dollars(micros, min_digits=digits) == text


@given(micros=MICROS)
def test_the_text_of_an_amount_is_the_amount(micros: int) -> None:
    assert Fraction(format_dollars(micros)) * 1_000_000 == micros


@given(micros=MICROS)
def test_cents_are_rounded_down(micros: int) -> None:
    cents = micros_to_cents(micros)
    assert cents * 10_000 <= micros < (cents + 1) * 10_000
    assert Fraction(cents_as_dollars(cents)) * 100 == cents


@given(value=st.fractions(min_value=0, max_value=10**9))
def test_rounding_goes_to_the_nearest_and_halves_go_up(value: Fraction) -> None:
    assert value - Fraction(1, 2) < round_half_up(value) <= value + Fraction(1, 2)


def test_a_half_goes_up() -> None:
    assert [round_half_up(Fraction(number, 2)) for number in (1, 3, 5)] == [1, 2, 3]
