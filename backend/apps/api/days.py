"""Filters by day: `from` and `to` are inclusive, in the time zone of the person who asks."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def begin_of(day: date | None, *, zone: str) -> datetime | None:
    """The instant at which the day begins for people in the zone."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone)) if day else None


def end_of(day: date | None, *, zone: str) -> datetime | None:
    """The instant at which the next day begins; None, which bounds nothing, for the last day that there is."""
    return begin_of(day + timedelta(days=1), zone=zone) if day and day < date.max else None
