"""Exact amounts and unit prices as people read them. Pure."""

from fractions import Fraction
from typing import Final

from apps.shell.formatting import MICROS_PER_DOLLAR, format_money

# A micro has six digits after the point; what a charge has beyond these is cut off and marked.
_DIGITS: Final = 12
# What one unit of a meter that counts no tokens is, and what several are.
_UNITS: Final = {
    "storage.gb_month": ("millionth of a GB-month", "millionths of a GB-month"),
    "api.calls": ("call", "calls"),
    "documents": ("document", "documents"),
    "exports": ("export", "exports"),
}
_CLASSES: Final = {
    "input": "Input tokens",
    "cached_input": "Cached input tokens",
    "cache_write": "Tokens written to the cache",
    "output": "Output tokens",
    "reasoning": "Reasoning tokens",
}


def format_exact(micros: Fraction) -> str:
    """Dollars with every digit that there is: 186 -> $0.000186, 1/2 -> $0.0000005; without end: $0.000000333333…"""
    scaled = micros / MICROS_PER_DOLLAR * 10**_DIGITS
    whole, digits = divmod(int(scaled), 10**_DIGITS)
    text = f"{digits:0{_DIGITS}d}"
    if scaled.denominator == 1:
        return f"${whole:,}.{text.rstrip('0').ljust(2, '0')}"
    return f"${whole:,}.{text}…"


def format_unit_price(price_micros: int, *, unit_size: int) -> str:
    """$0.15 per 1M, $0.001 each."""
    per = "each" if unit_size == 1 else f"per {_short(unit_size)}"
    return f"{format_money(price_micros)} {per}"


def name_of_class(token_class: str, *, meter: str) -> str:
    """What is counted: a class of tokens, or the meter's own units."""
    found = _CLASSES.get(token_class, token_class) or _units_of(meter)[1]
    return found[:1].upper() + found[1:]


def format_quantity(quantity: int, *, meter: str) -> str:
    """1 document, 1,200 calls."""
    one, many = _units_of(meter)
    return f"{quantity:,} {one if quantity == 1 else many}"


def _units_of(meter: str) -> tuple[str, str]:
    return _UNITS.get(meter, (meter, meter))


def _short(size: int) -> str:
    for unit, letter in ((1_000_000, "M"), (1_000, "K")):
        if size % unit == 0:
            return f"{size // unit}{letter}"
    return f"{size:,}"
