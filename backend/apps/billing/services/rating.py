"""What a usage costs: exact, rounded once, and explained.

cost = the sum over token classes of quantity x price / unit size, as a rational, rounded half up to the micro.

A meter that counts no tokens has one class, the empty one, and is priced in the same way.

A token is in exactly one class. A class without a rate line of its own costs what its wider class costs: reasoning is
billed as output, cached input and cache writes as input, as most providers do.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final
from uuid import UUID

from apps.billing.types import (
    INPUT_CLASSES,
    METER_UNITS,
    OUTPUT_CLASSES,
    PRICED_AS,
    Charge,
    Meter,
    Rated,
    TokenClass,
    TokenUsage,
)
from apps.common.money import format_dollars, round_half_up


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A rate line: micros for `unit_size` units, to the customer and to the provider."""

    id: UUID
    unit_size: int
    price_micros: int
    provider_cost_micros: int
    is_essential: bool = False

    @property
    def unit_price(self) -> Fraction:
        return Fraction(self.price_micros, self.unit_size)

    @property
    def unit_provider_cost(self) -> Fraction:
        return Fraction(self.provider_cost_micros, self.unit_size)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The lines of one version for one meter and model: input and output at least, or the one of a quantity."""

    lines: Mapping[TokenClass, PricedLine]

    def line_for(self, token_class: TokenClass) -> PricedLine:
        """The line that prices the class: its own, or its wider class's."""
        return self.lines.get(token_class) or self.lines[PRICED_AS[token_class]]

    @property
    def is_essential(self) -> bool:
        return all(line.is_essential for line in self.lines.values())


def rate_usage(*, table: PriceTable, usage: TokenUsage) -> Rated:
    """The price of a usage, with the frozen charges that it can be recomputed from."""
    return _rate(table, usage.by_class())


def rate_quantity(*, table: PriceTable, quantity: int) -> Rated:
    """The price of so many units of a meter that counts no tokens."""
    return _rate(table, {TokenClass.QUANTITY: quantity})


def _rate(table: PriceTable, counts: Mapping[TokenClass, int]) -> Rated:
    charges = tuple(
        _charge(token_class, count, table.line_for(token_class)) for token_class, count in counts.items() if count
    )
    cost, provider_cost = sum_charges(charges)
    return Rated(charges=charges, cost_micros=cost, provider_cost_micros=provider_cost)


def sum_charges(charges: Iterable[Charge]) -> tuple[int, int]:
    """(what the customer pays, what the provider asks) for the charges, each exact and rounded half up once."""
    price = provider = Fraction(0)
    for charge in charges:
        price += Fraction(charge.quantity * charge.price_micros, charge.unit_size)
        provider += Fraction(charge.quantity * charge.provider_cost_micros, charge.unit_size)
    return round_half_up(price), round_half_up(provider)


def rate_ceiling(*, table: PriceTable, ceiling: TokenUsage) -> tuple[int, int]:
    """(price, provider cost) that no usage within the ceiling can exceed, by the same rating.

    Which classes the provider will count is known only afterwards, so each side counts as its dearest class.
    """
    by_price = _dearest(table, ceiling, lambda line: line.unit_price)
    by_provider = _dearest(table, ceiling, lambda line: line.unit_provider_cost)
    price = rate_usage(table=table, usage=by_price).cost_micros
    return price, rate_usage(table=table, usage=by_provider).provider_cost_micros


def _dearest(table: PriceTable, ceiling: TokenUsage, rate: Callable[[PricedLine], Fraction]) -> TokenUsage:
    counts = ceiling.by_class()
    worst: dict[str, int] = {}
    for side in (INPUT_CLASSES, OUTPUT_CLASSES):
        dearest = max(side, key=lambda token_class: rate(table.line_for(token_class)))
        worst[dearest.value] = sum(counts[token_class] for token_class in side)
    return TokenUsage(**worst)


def _charge(token_class: TokenClass, quantity: int, line: PricedLine) -> Charge:
    return Charge(
        line=line.id,
        token_class=token_class,
        quantity=quantity,
        unit_size=line.unit_size,
        price_micros=line.price_micros,
        provider_cost_micros=line.provider_cost_micros,
    )


_UNIT_NAMES: Final = {1_000_000: "1M", 1_000: "1K"}


def explain_charges(
    *, charges: Sequence[Charge], cost_micros: int, excess_micros: int = 0, meter: Meter = Meter.LLM_TOKENS
) -> str:
    """Why a usage cost what it did: `1,240 input tokens x $0.15/1M + 310 output x $0.60/1M = $0.000372`."""
    parts = [
        f"{_name_count(charge, meter=meter, is_first=position == 0)} x {_name_price(charge)}"
        for position, charge in enumerate(charges)
    ]
    text = f"{' + '.join(parts) or 'nothing'} = ${format_dollars(cost_micros + excess_micros)}"
    if excess_micros:
        text += f", of which ${format_dollars(excess_micros)} was not charged"
    return text


def _name_count(charge: Charge, *, meter: Meter, is_first: bool) -> str:
    if charge.token_class is not TokenClass.QUANTITY:
        word = " tokens" if is_first else ""
        return f"{charge.quantity:,} {charge.token_class.label.lower()}{word}"
    return name_quantity(meter=meter, quantity=charge.quantity)


def name_quantity(*, meter: Meter, quantity: int) -> str:
    """A meter's quantity as people read it: `1 document`, `1,204 calls`."""
    unit = METER_UNITS[meter]
    return f"{quantity:,} {unit.removesuffix('s') if quantity == 1 else unit}"


def _name_price(charge: Charge) -> str:
    price = f"${format_dollars(charge.price_micros)}"
    if charge.token_class is TokenClass.QUANTITY and charge.unit_size == 1:
        return f"{price} each"
    return f"{price}/{_UNIT_NAMES.get(charge.unit_size, f'{charge.unit_size:,}')}"
