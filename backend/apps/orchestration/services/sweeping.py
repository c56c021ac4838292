"""The sweeper: drives, from the rows alone, what the broker forgot or a dead worker left open.

Safe to run twice at once: rows are claimed with SKIP LOCKED or re-read under the job's lock.
"""

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import transaction

from apps.billing import selectors as billing_selectors
from apps.billing.types import HoldView
from apps.common.tenancy import TenantId
from apps.orchestration.dispatch import send_hint
from apps.orchestration.models import JobRun
from apps.orchestration.services.calls import abandon_call
from apps.orchestration.services.jobs import lock_job, view_run
from apps.orchestration.services.steps import fail_run, give_up_run
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
    """Ends every hold past its lease: its call was never sent (released) or was lost (a loss of the house)."""
    closed = 0
    for hold in billing_selectors.list_overdue_holds(now=now, limit=BATCH):
        closed += close_overdue_hold(hold=hold, now=now)
    return closed


@transaction.atomic
def close_overdue_hold(*, hold: HoldView, now: datetime) -> bool:
    """Ends one overdue hold under its job's lock. A step that still waits gets a new attempt with a fresh hold."""
    job = lock_job(tenant=hold.tenant, job_id=hold.job_id)
    row = job.runs.filter(payload__call_id=str(hold.call_id)).order_by("-attempt").first()
    if row is not None and row.state == RunState.RUNNING and row.lease_until and row.lease_until >= now:
        # A worker holds the step but has not marked the call as sent yet; its own lease decides.
        return False
    abandon_call(tenant=hold.tenant, call_id=hold.call_id, now=now)
    if row is not None and row.state in {RunState.READY, RunState.RUNNING}:
        fail_run(job, row, code="hold_expired", message=INTERRUPTED, is_retryable=True, now=now)
    return True
