"""The sweeper: drives, from the rows alone, what the broker forgot or a dead worker left open.

Safe to run twice at once: rows are claimed with SKIP LOCKED or re-read under the job's lock.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction

from apps.billing import selectors as billing_selectors
from apps.billing.services import holds
from apps.billing.types import HoldNotOpen, HoldView
from apps.common.tenancy import TenantId
from apps.orchestration.dispatch import send_hint
from apps.orchestration.models import JobRun
from apps.orchestration.services.calls import abandon_call
from apps.orchestration.services.jobs import lock_job, view_run
from apps.orchestration.services.steps import fail_run, give_up_run, lease_length
from apps.orchestration.types import RunState, SweepResult

_log = structlog.get_logger(__name__)

BATCH: Final = 200
# A hint that brought no claim is repeated after this long; a full queue must not fill itself with copies.
REPEAT_AFTER: Final = timedelta(seconds=60)

INTERRUPTED: Final = "The work was interrupted. You have not been charged for the part that was lost."


def sweep(*, now: datetime) -> SweepResult:
    """One round over all tenants: due steps, dead workers, overdue holds."""
    result = SweepResult(
        dispatched=dispatch_due_runs(now=now),
        expired_runs=close_expired_runs(now=now),
        expired_holds=close_overdue_holds(now=now),
        at=now,
    )
    if result.expired_runs or result.expired_holds:
        _log.warning("sweep.recovered", expired_runs=result.expired_runs, expired_holds=result.expired_holds)
    return result


def dispatch_due_runs(*, now: datetime) -> int:
    """Repeats the hint for every step that is ready and due; returns how many were sent."""
    with transaction.atomic():
        due = list(
            JobRun.objects.select_for_update(skip_locked=True)
            .filter(state=RunState.READY, next_dispatch_at__lte=now)
            .order_by("next_dispatch_at", "id")[:BATCH]
        )
        JobRun.objects.filter(pk__in=[run.pk for run in due], state=RunState.READY).update(
            next_dispatch_at=now + REPEAT_AFTER
        )
    return sum(send_hint(tenant=TenantId(run.tenant_id), run_id=run.pk) for run in due)


def close_expired_runs(*, now: datetime) -> int:
    """Ends every attempt whose worker has not come back within its lease."""
    expired = JobRun.objects.filter(state=RunState.RUNNING, lease_until__lt=now).order_by("lease_until", "id")[:BATCH]
    return sum(
        give_up_run(run=view_run(run), code="interrupted", message=INTERRUPTED, now=now) for run in list(expired)
    )


def close_overdue_holds(*, now: datetime) -> int:
    """Ends every hold past its lease that nobody will use any more; one whose step still waits gets a fresh lease."""
    overdue = billing_selectors.list_overdue_holds(now=now, limit=BATCH)
    return sum(close_overdue_hold(hold=hold, now=now) for hold in overdue)


@transaction.atomic
def close_overdue_hold(*, hold: HoldView, now: datetime) -> bool:
    """Decides about one overdue hold under its job's lock. False when it stays open, or somebody else has ended it."""
    job = lock_job(tenant=hold.tenant, job_id=hold.job_id)
    row = job.runs.filter(payload__call_id=str(hold.call_id)).order_by("-attempt").first()
    if row is not None and is_still_wanted(row, now=now):
        # A long queue or a back-off is no reason to take the money away from a job that has been promised it.
        renew_open_hold(hold=hold, now=now)
        return False
    abandon_call(tenant=hold.tenant, call_id=hold.call_id, now=now)
    if row is not None and row.state == RunState.RUNNING:
        fail_run(job, row, code="interrupted", message=INTERRUPTED, is_retryable=True, now=now)
    return True


def is_still_wanted(run: JobRun, *, now: datetime) -> bool:
    """Whether the attempt waits for a worker, or a worker that is believed to live has it."""
    if run.state == RunState.RUNNING:
        return run.lease_until is not None and run.lease_until >= now
    return run.state == RunState.READY


def renew_open_hold(*, hold: HoldView, now: datetime) -> None:
    """A fresh lease, unless the hold was settled since it was listed."""
    with suppress(HoldNotOpen):
        holds.renew_hold(tenant=hold.tenant, hold_id=hold.id, now=now, lease=lease_length())
