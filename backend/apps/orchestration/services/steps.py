"""Claiming, completing and failing one attempt of a step.

A task may run 0, 1 or 2 times. The claim is a compare-and-set with a lease, so a second copy finds nothing to do; a
worker that comes back after its lease finds its attempt closed and its late result is dropped.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from structlog.contextvars import bound_contextvars

from apps.common.clock import Clock
from apps.common.errors import Conflict, PaymentRequired
from apps.common.tenancy import TenantId, tenant_scope
from apps.observability.context import bind_request, clear_request
from apps.orchestration.dispatch import send_hints_on_commit
from apps.orchestration.models import Job, JobRun
from apps.orchestration.registry import get_flow
from apps.orchestration.services.jobs import (
    HINT_GRACE,
    add_attempt,
    cancel_run,
    end_job,
    lock_job,
    store_cost,
    view_run,
)
from apps.orchestration.services.states import move_job, move_run
from apps.orchestration.types import ACTIVE_JOB_STATES, ALIVE_RUN_STATES, JobState, RunState, RunView
from apps.tenants.selectors import is_active_member

_log = structlog.get_logger(__name__)

# Paid attempts of one step before the job asks the person. Bounds what a storm of failures can cost.
ATTEMPTS_PER_TRY: Final = 3

ACCOUNT_CLOSED: Final = "The account that asked for this has been closed, or is not in this tenant any more."


def backoff(attempt: int) -> timedelta:
    """How long a failed step rests: 2, 8, 18 seconds."""
    return timedelta(seconds=2 * attempt * attempt)


def lease_length() -> timedelta:
    return timedelta(seconds=settings.HOLD_LEASE_SECONDS)


def find_job_of_run(*, tenant: TenantId, run_id: UUID) -> UUID | None:
    return JobRun.objects.filter(tenant_id=tenant, pk=run_id).values_list("job_id", flat=True).first()


@transaction.atomic
def claim_run(*, tenant: TenantId, run_id: UUID, now: datetime) -> tuple[str, str, RunView] | None:
    """Takes a due attempt for this worker: (job kind, request id, run), or None when there is nothing to do."""
    job_id = find_job_of_run(tenant=tenant, run_id=run_id)
    if job_id is None:
        return None
    job = lock_job(tenant=tenant, job_id=job_id)
    run = JobRun.objects.get(pk=run_id)
    if job.state not in ACTIVE_JOB_STATES or run.state != RunState.READY:
        return None
    if not is_active_member(tenant=tenant, user_id=job.author_id):
        end_job(job, to=JobState.FAILED, message=ACCOUNT_CLOSED, code="account_closed", now=now)
        return None
    if job.state == JobState.QUEUED:
        move_job(job, to=JobState.RUNNING, now=now, message="Started", started_at=job.started_at or now)
    move_run(run, to=RunState.RUNNING, now=now, started_at=now, lease_until=now + lease_length())
    return job.kind, job.request_id, view_run(run)


def execute_run(*, tenant: TenantId, run_id: UUID, clock: Clock) -> bool:
    """Claims an attempt and runs it, in the scope of its tenant. False when another worker has it or it is done.

    A crash of the step's own code ends the attempt at once; when even that cannot be written, the sweeper does it after
    the lease.
    """
    with tenant_scope(tenant):
        return _execute_run(tenant=tenant, run_id=run_id, clock=clock)


def _execute_run(*, tenant: TenantId, run_id: UUID, clock: Clock) -> bool:
    claimed = claim_run(tenant=tenant, run_id=run_id, now=clock())
    if claimed is None:
        return False
    kind, request_id, run = claimed
    bind_request(request_id=request_id, address=None)
    try:
        with bound_contextvars(request_id=request_id, run_id=str(run.id)):
            get_flow(kind).run_step(run, clock)
    except Exception:  # noqa: BLE001 - whatever a step raises, its money and its row must be ended
        _log.exception("step.crashed", run_id=str(run.id), step=run.step)
        give_up_run(run=run, code="internal_error", message="Something went wrong on our side.", now=clock())
    finally:
        clear_request()
    return True


def renew_lease(*, run: RunView, now: datetime) -> None:
    """Says that the worker of a long step still lives. Does nothing for an attempt that has been closed."""
    still_ours = JobRun.objects.filter(tenant_id=run.tenant, pk=run.id, state=RunState.RUNNING)
    still_ours.update(lease_until=now + lease_length())


@transaction.atomic
def give_up_run(*, run: RunView, code: str, message: str, now: datetime) -> bool:
    """Ends an attempt whose worker is gone or crashed, and what it left open. False when it had already ended."""
    locked = lock_running(run)
    if locked is None:
        return False
    job, row = locked
    get_flow(job.kind).abandon_attempt(run, now)
    fail_run(job, row, code=code, message=message, is_retryable=True, now=now)
    return True


def lock_running(run: RunView) -> tuple[Job, JobRun] | None:
    """The job and the attempt, locked, when the attempt is still ours to end; None when the sweeper has closed it."""
    job = lock_job(tenant=run.tenant, job_id=run.job_id)
    row = JobRun.objects.get(pk=run.id)
    return (job, row) if row.state == RunState.RUNNING else None


def lock_wanted(run: RunView, *, now: datetime) -> tuple[Job, JobRun] | None:
    """The same for an attempt about to begin something: None also when the job has ended, and then the attempt has.

    A job whose person was shut out since the attempt was claimed ends here, before anything more is spent for them.
    """
    locked = lock_running(run)
    if locked is None:
        return None
    job, row = locked
    if job.state in ACTIVE_JOB_STATES and not is_active_member(tenant=run.tenant, user_id=job.author_id):
        end_job(job, to=JobState.FAILED, message=ACCOUNT_CLOSED, code="account_closed", now=now)
    if job.state in ACTIVE_JOB_STATES:
        return locked
    cancel_run(row, now=now)
    return None


def complete_run(job: Job, row: JobRun, *, output: Mapping[str, Any], now: datetime) -> None:
    """Ends an attempt well and makes ready what waited for it. Takes both from `lock_running`, in one transaction.

    In a job that failed meanwhile the result is kept for a retry; in a cancelled one it is paid and not used.
    """
    store_cost(job)
    if job.state == JobState.CANCELLED:
        move_run(row, to=RunState.CANCELLED, now=now)
        return
    move_run(row, to=RunState.SUCCEEDED, now=now, output=dict(output))
    if job.state in ACTIVE_JOB_STATES:
        advance_job(job, now=now)


def advance_job(job: Job, *, now: datetime) -> None:
    """Makes ready the steps whose needs are met; ends the job well when none is left."""
    done = set(job.runs.filter(state=RunState.SUCCEEDED).values_list("step", flat=True))
    waiting = job.runs.filter(state=RunState.WAITING).order_by("position")
    ready = [run for run in waiting if set(run.needs) <= done]
    for run in ready:
        move_run(run, to=RunState.READY, now=now, next_dispatch_at=now + HINT_GRACE)
    send_hints_on_commit(tenant=TenantId(job.tenant_id), run_ids=[run.pk for run in ready])
    if not job.runs.filter(state__in=ALIVE_RUN_STATES).exists():
        move_job(job, to=JobState.SUCCEEDED, now=now, message="Finished")


def fail_run(job: Job, row: JobRun, *, code: str, message: str, is_retryable: bool, now: datetime) -> None:
    """Ends an attempt badly: another one follows while the cap allows it, else the job fails with this reason."""
    move_run(row, to=RunState.FAILED, now=now, error_code=code, error=message)
    store_cost(job)
    if job.state not in ACTIVE_JOB_STATES:
        return
    if not is_retryable or row.attempt >= ATTEMPTS_PER_TRY * (job.retries + 1):
        end_job(job, to=JobState.FAILED, message=message, code=code, now=now)
        return
    try:
        with transaction.atomic():
            add_attempt(job, last=row, due_at=now + backoff(row.attempt), now=now)
    except PaymentRequired as error:
        end_job(job, to=JobState.BLOCKED, message=error.text, code=error.code, now=now)
    except Conflict as error:
        # What a further attempt needs is gone: the model has lost its price, say.
        end_job(job, to=JobState.FAILED, message=error.text, code=error.code, now=now)
