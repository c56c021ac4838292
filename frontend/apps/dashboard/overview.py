"""What the dashboard says about a person's recent work. Pure: entries and a day in, figures out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

WEEKS_LOOKED_AT: Final = 12
_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekBar:
    """A week's number of entries; `percent` is relative to the busiest week shown."""

    begins_on: date
    entries: int
    percent: int
    is_current: bool


def week_of(day: date) -> date:
    """The Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def first_day_looked_at(today: date) -> date:
    return week_of(today) - (WEEKS_LOOKED_AT - 1) * _WEEK


def count_streak(days: Iterable[date], *, today: date) -> int:
    """Weeks in a row with an entry, up to this one. A week that has only begun does not break the row yet."""
    weeks = {week_of(day) for day in days}
    week = week_of(today)
    if week not in weeks:
        week -= _WEEK
    streak = 0
    while week in weeks:
        streak += 1
        week -= _WEEK
    return streak


def week_bars(days: Iterable[date], *, today: date) -> list[WeekBar]:
    """One bar for each week looked at, the oldest first."""
    counts: dict[date, int] = {}
    for day in days:
        counts[week_of(day)] = counts.get(week_of(day), 0) + 1
    this_week = week_of(today)
    busiest = max(counts.values(), default=0) or 1
    weeks = [first_day_looked_at(today) + number * _WEEK for number in range(WEEKS_LOOKED_AT)]
    return [
        WeekBar(
            begins_on=week,
            entries=counts.get(week, 0),
            percent=round(100 * counts.get(week, 0) / busiest),
            is_current=week == this_week,
        )
        for week in weeks
    ]
