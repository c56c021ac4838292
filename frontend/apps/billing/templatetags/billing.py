"""Amounts, prices, decline codes and bars of the money pages."""

from fractions import Fraction
from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.backend.billing import PriceLine
from apps.backend.usage import ChargeOfUsage, UsageEvent
from apps.billing.charts import Bar
from apps.billing.forms import METERS
from apps.billing.leaving import is_payment_page
from apps.billing.prices import PriceTable, price_table
from apps.billing.reckoning import format_exact, format_quantity, format_unit_price, name_of_class
from apps.shell.formatting import format_money

register = template.Library()

_STEP: Final = 10
_WIDTH: Final = 8
_HEIGHT: Final = 100
_FLOOR: Final = 1
# What a card's bank says, in words; whatever else it says is shown as it is.
_DECLINES: Final = {
    "card_declined": "the bank declined the card",
    "generic_decline": "the bank declined the card",
    "insufficient_funds": "there was not enough money on the card",
    "expired_card": "the card has expired",
    "lost_card": "the bank declined the card",
    "stolen_card": "the bank declined the card",
    "incorrect_cvc": "the card's security code was wrong",
    "processing_error": "the bank could not work on it",
    "authentication_required": "the bank asks you to confirm it yourself",
}


@register.filter
def as_decline(code: str) -> str:
    return _DECLINES.get(code, code.replace("_", " "))


@register.filter
def as_exact(micros: Fraction) -> str:
    return format_exact(micros)


@register.filter
def as_product(charge: ChargeOfUsage) -> str:
    """1,240 x $0.15 per 1M."""
    return f"{charge.quantity:,} x {format_unit_price(charge.price_micros, unit_size=charge.unit_size)}"


@register.filter
def as_price_table(lines: tuple[PriceLine, ...]) -> PriceTable:
    return price_table(lines)


@register.filter
def as_class(token_class: str, meter: str) -> str:
    return name_of_class(token_class, meter=meter)


@register.filter
def as_meter(meter: str) -> str:
    """What a meter counts; one that this service does not know yet is shown by its own name."""
    return dict(METERS).get(meter, meter)


@register.filter
def as_quantity(event: UsageEvent) -> str:
    return format_quantity(event.quantity, meter=event.meter)


@register.filter
def as_payment_page(url: str | None) -> str:
    """The address when it is one of the payment provider's; else nothing, so that no link leads elsewhere."""
    return url if url and is_payment_page(url) else ""


@register.simple_tag
def usage_bar(bar: Bar, index: int) -> SafeString:
    """One bar of the chart; a day without use keeps a hairline."""
    height = max(bar.percent, _FLOOR)
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}: {}</title></rect>',
        "week week-current" if bar.cost_micros else "week",
        index * _STEP + (_STEP - _WIDTH) // 2,
        _HEIGHT - height,
        _WIDTH,
        height,
        f"{bar.begins_on:%B %Y}" if bar.is_month else f"{bar.begins_on.day} {bar.begins_on:%b}",
        format_money(bar.cost_micros),
    )


@register.simple_tag
def chart_width(bars: tuple[Bar, ...]) -> int:
    return len(bars) * _STEP
