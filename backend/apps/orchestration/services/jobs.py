"""Starting, cancelling and retrying jobs."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from apps.billing import selectors as billing_selectors
from apps.common.tenancy import TenantId
from apps.observability.context import current_request_id
from apps.observability.services import record_audit, record_event
from apps.orchestration.dispatch import send_hints_on_commit
from apps.orchestration.models import Job, JobRun
from apps.orchestration.registry import get_flow
from apps.orchestration.selectors import can_cancel, check_can_cancel, check_can_retry, check_can_start_job, list_steps
from apps.orchestration.services.states import move_job, move_run
from apps.orchestration.types import (
    JOB_STATES,
    JobKeyReused,
    JobKind,
    JobNotFound,
    JobState,
    RunState,
    RunView,
    StepPlan,
)
from apps.tenants.types import Actor

# The hint of a fresh step normally arrives at once; after this long without a claim the sweeper repeats it.
HINT_GRACE: Final = timedelta(seconds=20)


def hash_request(*, kind: str, params: Mapping[str, Any]) -> str:
    """What tells a replay from another request under the same key."""
    canonical = json.dumps({"kind": kind, "params": params}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def find_replayed_job(*, actor: Actor, kind: JobKind, params: Mapping[str, Any], key: str | None) -> Job | None:
    """The job that this person's key already started, or None. Raises JobKeyReused when it began another request."""
    if key is None:
        return None
    job = Job.objects.filter(tenant_id=actor.tenant, author_id=actor.user_id, idempotency_key=key).first()
    if job is not None and job.request_hash != hash_request(kind=kind, params=params):
        raise JobKeyReused
    return job


def create_job(
    *,
    actor: Actor,
    job_id: UUID,
    kind: JobKind,
    title: str,
    params: Mapping[str, Any],
    subject_id: UUID,
    idempotency_key: str | None,
    estimate_micros: int,
    steps: Sequence[StepPlan],
    now: datetime,
) -> Job:
    """Writes a job with its steps and lets the ready ones be sent when the transaction commits.

    Raises DeletionScheduled.
    """
    check_can_start_job(actor=actor, kind=kind)
    job = Job.objects.create(
        id=job_id,
        tenant_id=actor.tenant,
        author_id=actor.user_id,
        kind=kind,
        title=title,
        params=dict(params),
        subject_id=subject_id,
        idempotency_key=idempotency_key,
        request_hash=hash_request(kind=kind, params=params),
        request_id=current_request_id(),
        estimate_micros=estimate_micros,
        created_at=now,
    )
    record_event(
        tenant=actor.tenant,
        subject_kind="job",
        subject_id=job.pk,
        name="job.queued",
        message="Waiting to start",
        now=now,
    )
    runs = [_create_run(job, step=step, position=position, now=now) for position, step in enumerate(steps)]
    ready = [run.pk for run in runs if run.state == RunState.READY]
    send_hints_on_commit(tenant=actor.tenant, run_ids=ready)
    return job


def _create_run(job: Job, *, step: StepPlan, position: int, now: datetime) -> JobRun:
    is_ready = not step.needs
    return JobRun.objects.create(
        tenant_id=job.tenant_id,
        job=job,
        step=step.name,
        label=step.label,
        position=position,
        needs=list(step.needs),
        payload=dict(step.payload),
        state=RunState.READY if is_ready else RunState.WAITING,
        next_dispatch_at=now + HINT_GRACE if is_ready else None,
        created_at=now,
    )


def lock_job(*, tenant: TenantId, job_id: UUID) -> Job:
    """The job's row, locked. Every change to a job or its steps starts here, so that they never wait on each other."""
    job = Job.objects.select_for_update().filter(tenant_id=tenant, pk=job_id).first()
    if job is None:
        raise JobNotFound
    return job


def lock_own_job(*, actor: Actor, job_id: UUID) -> Job:
    """The same for a person, who sees only the jobs that they started."""
    job = lock_job(tenant=actor.tenant, job_id=job_id)
    if job.author_id != actor.user_id:
        raise JobNotFound
    return job


def view_run(run: JobRun) -> RunView:
    return RunView(
        id=run.pk,
        tenant=TenantId(run.tenant_id),
        job_id=run.job_id,
        step=run.step,
        attempt=run.attempt,
        payload=run.payload,
    )


def cancel_run(run: JobRun, *, now: datetime) -> None:
    """Ends an attempt that is not to be run (any further), with whatever it left open."""
    move_run(run, to=RunState.CANCELLED, now=now)
    get_flow(run.job.kind).abandon_attempt(view_run(run), now)


def stop_open_runs(job: Job, *, now: datetime) -> None:
    """Cancels every step that has not started. One that runs is left to end by itself: its call is already paid for."""
    for run in job.runs.filter(state__in=[RunState.WAITING, RunState.READY]).order_by("position", "attempt"):
        cancel_run(run, now=now)


@transaction.atomic
def cancel_job(*, actor: Actor, job_id: UUID, now: datetime) -> Job:
    """Stops a job. Nothing that has not been sent is paid; a call under way is, since its answer was produced."""
    job = lock_own_job(actor=actor, job_id=job_id)
    check_can_cancel(job)
    _cancel(job, actor=actor.user_id, message="Cancelled by you", now=now)
    return job


@transaction.atomic
def cancel_jobs_of(*, tenant: TenantId, author_id: UUID, actor: UUID | None, message: str, now: datetime) -> int:
    """Stops every job of a person who has no business in the tenant any more, and says how many there were."""
    mine = Job.objects.filter(tenant_id=tenant, author_id=author_id).order_by("id").values_list("pk", flat=True)
    jobs = [
        lock_job(tenant=tenant, job_id=job_id)
        for job_id in mine.filter(state__in=JOB_STATES.sources_of(JobState.CANCELLED))
    ]
    stopped = [job for job in jobs if can_cancel(job)]
    for job in stopped:
        _cancel(job, actor=actor, message=message, now=now)
    return len(stopped)


def _cancel(job: Job, *, actor: UUID | None, message: str, now: datetime) -> None:
    before = job.state
    move_job(job, to=JobState.CANCELLED, now=now, message=message)
    stop_open_runs(job, now=now)
    get_flow(job.kind).on_cancelled(job, now)
    record_audit(
        tenant=job.tenant_id,
        actor=actor,
        action="job.cancelled",
        target_kind="job",
        target_id=job.pk,
        before={"state": before},
        after={"state": job.state},
        now=now,
    )


@transaction.atomic
def retry_job(*, actor: Actor, job_id: UUID, now: datetime) -> Job:
    """Starts the missing steps of a failed or blocked job again; what had succeeded is kept and not paid twice.

    The person asks for more work, so the "at most" becomes what was paid so far with what the new attempts may cost.

    Raises PaymentRequired when the reserve does not cover the new attempts, WrongState when there is nothing to retry,
    NotFound when what the job was to make has been deleted, DeletionScheduled.
    """
    job = lock_own_job(actor=actor, job_id=job_id)
    check_can_retry(job)
    check_can_start_job(actor=actor, kind=JobKind(job.kind))
    move_job(
        job,
        to=JobState.QUEUED,
        now=now,
        message="Started again by you",
        retries=job.retries + 1,
        error="",
        error_code="",
        finished_at=None,
    )
    get_flow(job.kind).on_reopened(job, now)
    for last in list_steps(job):
        if last.state in {RunState.FAILED, RunState.CANCELLED}:
            add_attempt(job, last=last, due_at=now, now=now, is_new_promise=True)
    job.estimate_micros = billing_selectors.get_job_commitment(tenant=actor.tenant, job_id=job.pk)
    job.save(update_fields=["estimate_micros"])
    return job


def find_budget(job: Job) -> int:
    """What the job may still take of the "at most" that the person has seen."""
    tenant = TenantId(job.tenant_id)
    return job.estimate_micros - billing_selectors.get_job_commitment(tenant=tenant, job_id=job.pk)


def add_attempt(job: Job, *, last: JobRun, due_at: datetime, now: datetime, is_new_promise: bool = False) -> JobRun:
    """A further attempt of a step. Raises PaymentRequired when what it needs is not covered.

    An attempt that we add by ourselves never takes the job above its "at most"; one that the person asks for is a new
    promise.
    """
    done = set(job.runs.filter(state=RunState.SUCCEEDED).values_list("step", flat=True))
    is_ready = set(last.needs) <= done
    attempt = last.attempt + 1
    planned = RunView(
        id=last.pk, tenant=TenantId(job.tenant_id), job_id=job.pk, step=last.step, attempt=attempt, payload=last.payload
    )
    payload = get_flow(job.kind).prepare_attempt(planned, now, None if is_new_promise else find_budget(job))
    run = JobRun.objects.create(
        tenant_id=job.tenant_id,
        job=job,
        step=last.step,
        label=last.label,
        position=last.position,
        attempt=attempt,
        needs=last.needs,
        payload=dict(payload),
        state=RunState.READY if is_ready else RunState.WAITING,
        next_dispatch_at=(now + HINT_GRACE if due_at <= now else due_at) if is_ready else None,
        created_at=now,
    )
    if is_ready and due_at <= now:
        send_hints_on_commit(tenant=TenantId(job.tenant_id), run_ids=[run.pk])
    return run


def end_job(job: Job, *, to: JobState, message: str, code: str, now: datetime) -> None:
    """Ends a job that cannot go on: open steps are cancelled and their holds let go.

    FAILED and BLOCKED alike may be retried; a blocked job waits for money, it has not failed.
    """
    move_job(job, to=to, now=now, message=message, error=message, error_code=code)
    stop_open_runs(job, now=now)
    get_flow(job.kind).on_failed(job, now)


def store_cost(job: Job) -> None:
    """Brings the job's cost up to what has been paid for it, at the end of every attempt, paid in vain or not."""
    job.cost_micros = get_flow(job.kind).compute_cost(job)
    job.save(update_fields=["cost_micros"])
