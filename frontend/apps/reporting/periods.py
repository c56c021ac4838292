"""Spans of days to report on, named from a day in the person's zone."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

CUSTOM: Final = "custom"
CHOICES: Final = (
    ("this_quarter", "This quarter"),
    ("last_quarter", "Last quarter"),
    ("this_year", "This year"),
    (CUSTOM, "Other days"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Both days belong to it."""

    first: date
    last: date


def named_period(name: str, *, today: date) -> Period:
    """The period of a choice above; this quarter for any other name. Periods that run still end on their last day."""
    start = quarter_start(today)
    if name == "last_quarter":
        last = start - timedelta(days=1)
        return Period(first=quarter_start(last), last=last)
    if name == "this_year":
        return Period(first=date(today.year, 1, 1), last=date(today.year, 12, 31))
    return Period(first=start, last=quarter_end(start))


def quarter_start(day: date) -> date:
    return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def quarter_end(day: date) -> date:
    month = quarter_start(day).month + 2
    return date(day.year, month, monthrange(day.year, month)[1])
