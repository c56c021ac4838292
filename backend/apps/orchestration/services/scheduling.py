"""Periodic duties, each period once, however many schedulers run."""

from collections.abc import Callable
from datetime import datetime

from django.db import IntegrityError, transaction

from apps.orchestration.models import ScheduledPeriod


def run_once_per_period(*, name: str, period: str, duty: Callable[[], object], now: datetime) -> bool:
    """Runs the duty unless this period's was already taken up. False when it was.

    A duty that raises gives its period back, so that the next tick tries again.
    """
    try:
        with transaction.atomic():
            taken = ScheduledPeriod.objects.create(name=name, period=period, started_at=now)
    except IntegrityError:
        return False
    try:
        duty()
    except Exception:
        taken.delete()
        raise
    ScheduledPeriod.objects.filter(pk=taken.pk).update(finished_at=now)
    return True
