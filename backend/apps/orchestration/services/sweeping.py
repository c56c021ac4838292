"""The sweeper: drives, from the rows alone, what the broker forgot or a dead worker left open.

Safe to run twice at once: rows are claimed with SKIP LOCKED or re-read under the job's lock.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, TypeVar

import structlog
from django.db import transaction

from apps.billing import selectors as billing_selectors
from apps.billing.services import holds
from apps.billing.types import HoldView
from apps.common.tenancy import SystemScope, TenantId, system_scope, tenant_scope
from apps.orchestration.dispatch import send_hints
from apps.orchestration.models import JobRun
from apps.orchestration.services.calls import abandon_call, find_open_hold
from apps.orchestration.services.jobs import lock_job, view_run
from apps.orchestration.services.steps import fail_run, give_up_run, lease_length
from apps.orchestration.types import RUN_STATES, RunState, SweepResult

Row = TypeVar("Row")

_log = structlog.get_logger(__name__)

BATCH: Final = 200
# A hint that brought no claim is repeated after this long; a full queue must not fill itself with copies.
REPEAT_AFTER: Final = timedelta(seconds=60)

INTERRUPTED: Final = "The work was interrupted. You have not been charged for the part that was lost."


@system_scope(SystemScope.SWEEPER)
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
    return send_hints([(TenantId(run.tenant_id), run.pk) for run in due])


def close_expired_runs(*, now: datetime) -> int:
    """Ends every attempt whose worker has not come back within its lease."""

    def close(run: JobRun) -> bool:
        with tenant_scope(TenantId(run.tenant_id)):
            return give_up_run(run=view_run(run), code="interrupted", message=INTERRUPTED, now=now)

    expired = JobRun.objects.filter(state=RunState.RUNNING, lease_until__lt=now).order_by("lease_until", "id")
    return _close_each(list(expired[:BATCH]), close)


def close_overdue_holds(*, now: datetime) -> int:
    """Ends every hold past its lease that nobody will use any more; one whose step still waits gets a fresh lease."""

    def close(hold: HoldView) -> bool:
        with tenant_scope(hold.tenant):
            return close_overdue_hold(hold=hold, now=now)

    return _close_each(billing_selectors.list_overdue_holds(now=now, limit=BATCH), close)


def _close_each(rows: Iterable[Row], close: Callable[[Row], bool]) -> int:
    """How many were closed. One that cannot be closed is an alarm, not the end of everybody else's round."""
    closed = 0
    for row in rows:
        try:
            closed += close(row)
        except Exception:  # noqa: BLE001 - whatever is wrong with one row, the next is another customer's
            _log.exception("sweep.stuck", row=str(row))
    return closed


@transaction.atomic
def close_overdue_hold(*, hold: HoldView, now: datetime) -> bool:
    """Decides about one overdue hold under its job's lock. False when it stays open, or somebody else has ended it."""
    job = lock_job(tenant=hold.tenant, job_id=hold.job_id)
    if find_open_hold(tenant=hold.tenant, call_id=hold.call_id) is None:
        return False
    row = job.runs.filter(payload__call_id=str(hold.call_id)).first()
    if row is not None and is_still_wanted(row, now=now):
        # A long queue or a back-off is no reason to take the money away from a job that has been promised it.
        holds.renew_hold(tenant=hold.tenant, hold_id=hold.id, now=now, lease=lease_length())
        return False
    abandon_call(tenant=hold.tenant, call_id=hold.call_id, now=now)
    if row is not None and row.state == RunState.RUNNING:
        fail_run(job, row, code="interrupted", message=INTERRUPTED, is_retryable=True, now=now)
    return True


def is_still_wanted(run: JobRun, *, now: datetime) -> bool:
    """Whether the attempt waits for a worker, or a worker that is believed to live has it."""
    if run.state == RunState.RUNNING:
        return run.lease_until is not None and run.lease_until >= now
    return not RUN_STATES.is_final(RunState(run.state))
