"""Exact money. Every amount is an integer number of micro-dollars; cents and dollars exist only at the edges."""

from fractions import Fraction
from typing import Final

MICROS_PER_DOLLAR: Final = 1_000_000
MICROS_PER_CENT: Final = 10_000

# The bound of a single amount, in the API and in every CHECK alike: a billion dollars.
MAX_ABS_MICROS: Final = 10**15

CURRENCY: Final = "USD"


def micros_to_cents(micros: int) -> int:
    """Whole cents, rounded down (also for debts: -1 micro is -1 cent), as the API promises."""
    return micros // MICROS_PER_CENT


def cents_to_micros(cents: int) -> int:
    return cents * MICROS_PER_CENT


def format_dollars(micros: int, *, min_digits: int = 2) -> str:
    """A plain decimal number such as `4.20` or `0.000372`: `min_digits` decimals, more only if they are not zero.

    Nothing is rounded, so the text always equals the stored amount.
    """
    whole, rest = divmod(abs(micros), MICROS_PER_DOLLAR)
    decimals = f"{rest:06d}".rstrip("0").ljust(min_digits, "0")
    sign = "-" if micros < 0 else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def cents_as_dollars(cents: int) -> str:
    """Two decimals exactly, from whole cents."""
    return format_dollars(cents_to_micros(cents))


def round_half_up(value: Fraction) -> int:
    """The nearest integer, halves away from zero towards plus infinity (the one rounding that a price goes through)."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
