"""Periodic duties, each period once, however many schedulers run."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from apps.common.clock import Clock
from apps.orchestration.models import ScheduledPeriod

# Longer than any task may run: by then whoever took the period up is dead.
ABANDONED_AFTER: Final = timedelta(minutes=10)


def run_once_per_period(*, name: str, period: str, duty: Callable[[], object], clock: Clock) -> bool:
    """Runs the duty unless this period's was already taken up. False when it was.

    A duty that raises gives its period back, so that the next tick tries again; so does one whose worker died.
    """
    if not _take(name=name, period=period, now=clock()):
        return False
    taken = ScheduledPeriod.objects.filter(name=name, period=period)
    try:
        duty()
    except Exception:
        taken.delete()
        raise
    taken.update(finished_at=clock())
    return True


def _take(*, name: str, period: str, now: datetime) -> bool:
    try:
        with transaction.atomic():
            ScheduledPeriod.objects.create(name=name, period=period, started_at=now)
    except IntegrityError:
        abandoned = ScheduledPeriod.objects.filter(
            name=name, period=period, finished_at=None, started_at__lt=now - ABANDONED_AFTER
        )
        return abandoned.update(started_at=now) == 1
    return True
