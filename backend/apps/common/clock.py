"""The one place that reads the clock: edges call it (views, tasks, commands, admin); below them time is a parameter."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

# What a long-running step is given instead of an instant: its edges lie on both sides of a remote call.
Clock = Callable[[], datetime]


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(tz=UTC)


def today_in(zone: str, *, now: datetime) -> date:
    """The calendar day that people in `zone` (an IANA name) have at `now`."""
    return now.astimezone(ZoneInfo(zone)).date()


def month_start_in(zone: str, *, now: datetime) -> datetime:
    """The instant at which the calendar month of `now` began for people in `zone`, in UTC."""
    local = now.astimezone(ZoneInfo(zone))
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
