"""Drawing of the dashboard's small chart: as SVG, since the page's policy allows no inline styles."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.dashboard.overview import WeekBar

register = template.Library()

_STEP, _WIDTH, _HEIGHT, _FLOOR = 20, 14, 40, 2


@register.simple_tag
def week_bar(week: WeekBar, index: int) -> SafeString:
    """One bar; an empty week keeps a hairline so that the rhythm stays readable."""
    height = max(round(_HEIGHT * week.percent / 100), _FLOOR)
    kind = "week week-current" if week.is_current else "week"
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"><title>Week of {}: {}</title></rect>',
        kind,
        index * _STEP + (_STEP - _WIDTH) // 2,
        44 - height,
        _WIDTH,
        height,
        f"{week.begins_on.day} {week.begins_on:%b}",
        week.entries,
    )
