"""Use by day as bars. Pure; days on which nothing was used have a bar of no height, so that the rhythm shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from apps.backend.usage import UsageGroup

# More bars than that are no longer told apart on a telephone.
_MAX_DAYS: Final = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A day, or a month from its `begins_on`; `percent` is of the highest bar."""

    begins_on: date
    is_month: bool
    cost_micros: int
    percent: int


def usage_bars(groups: Iterable[UsageGroup], *, first: date | None, last: date | None) -> tuple[Bar, ...]:
    """From `first` to `last`, or over the days that there are; by months when that is long. Oldest first."""
    costs = {day: group.cost_micros for group in groups if (day := day_of(group)) is not None}
    if not costs:
        return ()
    first = max(first, min(costs) - timedelta(days=_MAX_DAYS)) if first else min(costs)
    last = min(last, max(costs) + timedelta(days=_MAX_DAYS)) if last else max(costs)
    spread = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    is_long = len(spread) > _MAX_DAYS
    sums: dict[date, int] = {}
    for day in spread:
        begins_on = day.replace(day=1) if is_long else day
        sums[begins_on] = sums.get(begins_on, 0) + costs.get(day, 0)
    highest = max(*sums.values(), 1)
    return tuple(
        Bar(begins_on=day, is_month=is_long, cost_micros=cost, percent=round(100 * cost / highest))
        for day, cost in sums.items()
    )


def day_of(group: UsageGroup) -> date | None:
    """The day that a sum is of; None when it is of something else."""
    try:
        return date.fromisoformat(group.key)
    except ValueError:
        return None
