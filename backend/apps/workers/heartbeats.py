"""Tells the dead man's handle about duties that Celery's workers have done."""

from typing import Any, Final

from celery.signals import task_success

from apps.common import clock
from apps.observability.heartbeats import Expectation, record_heartbeat
from apps.workers.schedule import SCHEDULE, Duty

# A duty of a few seconds may miss some rounds (a deployment, a busy worker); a daily one may run two hours late.
_MISSED_ROUNDS: Final = 3
_MIN_ALLOWED_SECONDS: Final = 180
_DAILY_ALLOWED_SECONDS: Final = 26 * 3600


def allowed_seconds(duty: Duty) -> int:
    """How long the duty may stay undone before somebody must look."""
    if duty.every_seconds is None:
        return _DAILY_ALLOWED_SECONDS
    return max(_MISSED_ROUNDS * duty.every_seconds, _MIN_ALLOWED_SECONDS)


EXPECTATIONS: Final = {
    duty.task: Expectation(title=duty.name, allowed_seconds=allowed_seconds(duty)) for duty in SCHEDULE
}


def connect() -> None:
    """From here on every success of a duty leaves its sign."""
    task_success.connect(note_success, weak=False, dispatch_uid="apps.workers.heartbeats")


def note_success(sender: Any = None, result: object = None, **_: Any) -> None:
    """A duty that answers False has found its period taken by another worker, which leaves the sign when it is done."""
    name = getattr(sender, "name", "")
    if name in EXPECTATIONS and result is not False:
        record_heartbeat(name=name, now=clock.now())
