"""The declared schedule as rows of the scheduler's tables."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from apps.observability.heartbeats import expect_heartbeats
from apps.workers.heartbeats import EXPECTATIONS
from apps.workers.schedule import SCHEDULE, Duty


def install_schedule(*, now: datetime) -> int:
    """Makes the scheduler's rows equal to SCHEDULE, has its duties watched, and says how many rows it had to write.

    Rows that somebody added by hand stay, and so does a switch that somebody turned off.
    """
    with transaction.atomic():
        expect_heartbeats(expectations=EXPECTATIONS, now=now)
        return sum(_install(duty) for duty in SCHEDULE)


def _install(duty: Duty) -> bool:
    wanted = _describe(duty)
    row = PeriodicTask.objects.filter(name=duty.name).first()
    if row is None:
        PeriodicTask.objects.create(name=duty.name, **wanted)
        return True
    if all(getattr(row, field) == value for field, value in wanted.items()):
        return False
    for field, value in wanted.items():
        setattr(row, field, value)
    row.save()
    return True


def _describe(duty: Duty) -> dict[str, Any]:
    interval = crontab = None
    if duty.every_seconds is not None:
        interval, _ = IntervalSchedule.objects.get_or_create(every=duty.every_seconds, period=IntervalSchedule.SECONDS)
    else:
        crontab, _ = CrontabSchedule.objects.get_or_create(
            minute="0",
            hour=str(duty.daily_at_hour),
            day_of_week="*",
            day_of_month="*",
            month_of_year="*",
            timezone="UTC",
        )
    return {"task": duty.task, "interval": interval, "crontab": crontab, "expire_seconds": duty.expires_seconds}
