"""The dead man's handle: each periodic duty leaves a sign when it is done, and silence is an alarm.

The signs are read by whoever asks (`/api/dutyz/`, `manage.py check_duties`, Django admin), never by a periodic duty
alone: when beat stands still, so would the one that watches it.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from apps.observability.models import Heartbeat

logger = structlog.get_logger(__name__)

_ALARM_INTERVAL_SECONDS: Final = 600.0
# What is late when nothing was ever scheduled here.
NOTHING_SCHEDULED: Final = "schedule"


@dataclass(frozen=True, slots=True)
class Expectation:
    """That a duty is done at least every `allowed_seconds`."""

    title: str
    allowed_seconds: int


def expect_heartbeats(*, expectations: Mapping[str, Expectation], now: datetime) -> None:
    """Makes these the duties that are watched. A new one counts as done now: it has its whole time from here."""
    Heartbeat.objects.exclude(name__in=expectations).delete()
    for name, expectation in expectations.items():
        terms = {"title": expectation.title, "allowed_seconds": expectation.allowed_seconds}
        Heartbeat.objects.update_or_create(name=name, defaults=terms, create_defaults=terms | {"at": now})


def record_heartbeat(*, name: str, now: datetime) -> None:
    """Notes that the duty was done. One that nobody watches is passed over."""
    Heartbeat.objects.filter(name=name, at__lt=now).update(at=now)


def is_late(beat: Heartbeat, *, now: datetime) -> bool:
    """Whether the duty has been undone for longer than it may."""
    return now - beat.at > timedelta(seconds=beat.allowed_seconds)


def list_late_duties(*, now: datetime) -> list[str]:
    """The names of the duties that are overdue, in order; raises the alarm in the log when there are any."""
    beats = list(Heartbeat.objects.order_by("name"))
    late = [beat.name for beat in beats if is_late(beat, now=now)] if beats else [NOTHING_SCHEDULED]
    if late:
        _alarm.raise_for(late)
    return late


class _Alarm:
    """An error in the log when the list of late duties changes, and every ten minutes while it does not."""

    def __init__(self) -> None:
        self._known: list[str] = []
        self._raised_at = -_ALARM_INTERVAL_SECONDS

    def raise_for(self, late: list[str]) -> None:
        is_news = late != self._known or time.monotonic() - self._raised_at >= _ALARM_INTERVAL_SECONDS
        if is_news:
            self._known, self._raised_at = late, time.monotonic()
            logger.error("duties_late", duties=late)


_alarm: Final = _Alarm()
