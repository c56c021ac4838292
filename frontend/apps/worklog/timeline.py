"""Entries under the months and weeks that they belong to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from apps.backend.worklogs import Entry


@dataclass(slots=True, kw_only=True)
class Week:
    """Monday to Sunday. `is_continued`: its heading stands on the page already."""

    monday: date
    label: str
    is_continued: bool
    entries: list[Entry] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Month:
    first: date
    label: str
    is_continued: bool
    weeks: list[Week] = field(default_factory=list)


def group_entries(entries: Iterable[Entry], *, today: date, after: date | None = None) -> list[Month]:
    """Months with their weeks, in the order of `entries`. `after` is the day of the last entry shown before them."""
    months: list[Month] = []
    for entry in entries:
        first = entry.occurred_on.replace(day=1)
        if not months or months[-1].first != first:
            is_continued = not months and after is not None and after.replace(day=1) == first
            months.append(Month(first=first, label=f"{first:%B %Y}", is_continued=is_continued))
        _week_in(months[-1], day=entry.occurred_on, today=today, after=after).entries.append(entry)
    return months


def _week_in(month: Month, *, day: date, today: date, after: date | None) -> Week:
    monday = monday_of(day)
    if not month.weeks or month.weeks[-1].monday != monday:
        is_first_shown = month.is_continued and not month.weeks
        is_continued = is_first_shown and after is not None and monday_of(after) == monday
        month.weeks.append(Week(monday=monday, label=week_label(monday, today=today), is_continued=is_continued))
    return month.weeks[-1]


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week_label(monday: date, *, today: date) -> str:
    """This week, Last week, or its days: 16 to 22 Nov."""
    weeks_ago = (monday_of(today) - monday).days // 7
    if weeks_ago in (0, 1):
        return ("This week", "Last week")[weeks_ago]
    sunday = monday + timedelta(days=6)
    start = f"{monday.day}" if monday.month == sunday.month else f"{monday.day} {monday:%b}"
    return f"{start} to {sunday.day} {sunday:%b}"
