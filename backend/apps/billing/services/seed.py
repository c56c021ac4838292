"""Example prices for a fresh installation.

The models and their list prices are examples: dollars per million tokens as their makers published them by the end of
August 2025. Look them up and publish a version of your own before anybody pays.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from apps.billing.models import RateCardVersion, RateLineItem
from apps.billing.models.rates import UNIT_SCALE
from apps.billing.services.rate_cards import create_draft, publish_version
from apps.billing.types import Meter, PlanTier, TokenClass, VersionState
from apps.common.money import MICROS_PER_CENT

PRICES_AS_OF: Final = "August 2025"


@dataclass(frozen=True, slots=True)
class ListPrice:
    """A model's public price in tenths of a cent per million tokens; None where its maker names no such price."""

    model: str
    input: int
    output: int
    cached_input: int | None = None
    cache_write: int | None = None

    def by_class(self) -> dict[TokenClass, int]:
        prices = {
            TokenClass.INPUT: self.input,
            TokenClass.CACHED_INPUT: self.cached_input,
            TokenClass.CACHE_WRITE: self.cache_write,
            TokenClass.OUTPUT: self.output,
        }
        return {token_class: price for token_class, price in prices.items() if price is not None}


LIST_PRICES: Final = (
    ListPrice("gpt-4o", input=2500, cached_input=1250, output=10000),
    ListPrice("gpt-4o-mini", input=150, cached_input=75, output=600),
    ListPrice("gpt-4.1", input=2000, cached_input=500, output=8000),
    ListPrice("gpt-4.1-mini", input=400, cached_input=100, output=1600),
    ListPrice("gpt-4.1-nano", input=100, cached_input=25, output=400),
    ListPrice("gpt-5", input=1250, cached_input=125, output=10000),
    ListPrice("gpt-5-mini", input=250, cached_input=25, output=2000),
    ListPrice("claude-sonnet-4*", input=3000, cached_input=300, cache_write=3750, output=15000),
    ListPrice("claude-3-5-haiku*", input=800, cached_input=80, cache_write=1000, output=4000),
)
MICROS_PER_PRICE_STEP: Final = MICROS_PER_CENT // 10

BUILTIN_MODEL: Final = "builtin-writer-*"


@dataclass(frozen=True, slots=True)
class Tier:
    """A plan's example terms: percent of the list price, and cents per million tokens of the built-in writer."""

    plan: PlanTier
    percent_of_list: int
    builtin_input_cents: int
    builtin_output_cents: int


TIERS: Final = (
    Tier(PlanTier.FREE, percent_of_list=150, builtin_input_cents=50, builtin_output_cents=200),
    Tier(PlanTier.STARTER, percent_of_list=130, builtin_input_cents=40, builtin_output_cents=160),
    Tier(PlanTier.PROFESSIONAL, percent_of_list=120, builtin_input_cents=30, builtin_output_cents=120),
    Tier(PlanTier.ENTERPRISE, percent_of_list=110, builtin_input_cents=20, builtin_output_cents=80),
)


@transaction.atomic
def publish_example_rate_cards(*, now: datetime) -> int:
    """Publishes a first version for each plan whose card has none; returns how many. A second run changes nothing."""
    published = 0
    for tier in TIERS:
        has_prices = RateCardVersion.objects.filter(card__plan=tier.plan, state=VersionState.PUBLISHED).exists()
        if has_prices:
            continue
        note = f"Example prices, list prices of {PRICES_AS_OF}"
        draft = create_draft(plan=tier.plan, lines=_lines(tier), note=note, now=now)
        publish_version(actor=None, version_id=draft.id, now=now)
        published += 1
    return published


def _lines(tier: Tier) -> list[RateLineItem]:
    # The built-in writer runs on our own machines: no provider asks for anything.
    builtin = {TokenClass.INPUT: tier.builtin_input_cents, TokenClass.OUTPUT: tier.builtin_output_cents}
    lines = [
        _line(BUILTIN_MODEL, token_class, price=cents * MICROS_PER_CENT, cost=0)
        for token_class, cents in builtin.items()
    ]
    for listed in LIST_PRICES:
        for token_class, steps in listed.by_class().items():
            cost = steps * MICROS_PER_PRICE_STEP
            lines.append(_line(listed.model, token_class, price=cost * tier.percent_of_list // 100, cost=cost))
    return [*lines, *(_free_line(meter) for meter in Meter if meter is not Meter.LLM_TOKENS)]


def _line(pattern: str, token_class: TokenClass, *, price: int, cost: int) -> RateLineItem:
    return RateLineItem(
        meter=Meter.LLM_TOKENS,
        model_pattern=pattern,
        token_class=token_class,
        price_micros=price,
        provider_cost_micros=cost,
        is_essential=pattern == BUILTIN_MODEL,
    )


def _free_line(meter: Meter) -> RateLineItem:
    """Counted and shown, and free: the example plans ask for tokens alone."""
    return RateLineItem(
        meter=meter,
        model_pattern="*",
        token_class=TokenClass.QUANTITY,
        price_micros=0,
        provider_cost_micros=0,
        is_free=True,
        unit_size=UNIT_SCALE if meter is Meter.STORAGE else 1,
    )
