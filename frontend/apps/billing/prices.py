"""The prices of a plan, laid out: models by classes of tokens, then whatever else is counted. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from apps.backend.billing import PriceLine
from apps.backend.usage import TOKENS
from apps.billing.forms import METERS
from apps.billing.reckoning import format_exact, format_unit_price

_HEADINGS: Final = {
    "input": "Input",
    "cached_input": "Cached",
    "cache_write": "Cache write",
    "output": "Output",
    "reasoning": "Reasoning",
}
_STORAGE: Final = "storage.gb_month"
_MILLION: Final = 1_000_000
_FREE: Final = "included"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """What one thing costs; for a model a price a heading, "" for a class that has none of its own."""

    name: str
    prices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTable:
    """Prices of `models` are for a million tokens."""

    headings: tuple[str, ...]
    models: tuple[PriceRow, ...]
    others: tuple[PriceRow, ...]


def price_table(lines: Iterable[PriceLine]) -> PriceTable:
    """In the order of the lines."""
    models: dict[str, dict[str, str]] = {}
    others = []
    for line in lines:
        if line.meter == TOKENS:
            models.setdefault(line.model_pattern, {})[line.token_class] = _price_of_a_million(line)
        else:
            others.append(PriceRow(name=dict(METERS).get(line.meter, line.meter), prices=(_price_of_other(line),)))
    known = [name for name in _HEADINGS if any(name in prices for prices in models.values())]
    return PriceTable(
        headings=tuple(_HEADINGS[name] for name in known),
        models=tuple(
            PriceRow(name=pattern or "Any model", prices=tuple(prices.get(name, "") for name in known))
            for pattern, prices in models.items()
        ),
        others=tuple(others),
    )


def _price_of_a_million(line: PriceLine) -> str:
    return _FREE if line.is_free else format_exact(Fraction(line.price_micros * _MILLION, line.unit_size))


def _price_of_other(line: PriceLine) -> str:
    if line.is_free:
        return _FREE
    if line.meter == _STORAGE:
        # It is counted in millionths, and told in whole ones.
        return f"{_price_of_a_million(line)} per GB-month"
    return format_unit_price(line.price_micros, unit_size=line.unit_size)
