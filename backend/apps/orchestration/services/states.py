"""The two functions that move a state: compare-and-set on the old one, and a record in the same transaction."""

from datetime import datetime
from typing import Any

from apps.common.states import WrongState
from apps.observability.services import record_event
from apps.orchestration.models import Job, JobRun
from apps.orchestration.types import JOB_STATES, RUN_STATES, JobState, RunState


def move_job(job: Job, *, to: JobState, now: datetime, message: str, **changes: Any) -> None:
    """Moves a job and says so in its history. Raises WrongState when the table or a faster hand forbids it."""
    before = JobState(job.state)
    if not JOB_STATES.allows(before, to):
        raise WrongState(f"A job that is {before.label.lower()} cannot become {to.label.lower()}.")
    if JOB_STATES.is_final(to) or to in {JobState.FAILED, JobState.BLOCKED}:
        changes.setdefault("finished_at", now)
    updated = Job.objects.filter(pk=job.pk, tenant_id=job.tenant_id, state=before).update(state=to, **changes)
    if not updated:
        raise WrongState
    job.refresh_from_db()
    record_event(
        tenant=job.tenant_id,
        subject_kind="job",
        subject_id=job.pk,
        name=f"job.{to.value}",
        message=message,
        data={"from": before.value, "to": to.value},
        now=now,
    )


def move_run(run: JobRun, *, to: RunState, now: datetime, **changes: Any) -> None:
    """Moves one attempt of a step. Raises WrongState when the table or a faster hand forbids it."""
    before = RunState(run.state)
    if not RUN_STATES.allows(before, to):
        raise WrongState(f"A step that is {before.value} cannot become {to.value}.")
    if RUN_STATES.is_final(to):
        changes.setdefault("finished_at", now)
        changes.setdefault("next_dispatch_at", None)
    updated = JobRun.objects.filter(pk=run.pk, tenant_id=run.tenant_id, state=before).update(state=to, **changes)
    if not updated:
        raise WrongState
    run.refresh_from_db()
    record_event(
        tenant=run.tenant_id,
        subject_kind="job",
        subject_id=run.job_id,
        name=f"step.{to.value}",
        message=f"{run.label}: {to.label.lower()}",
        data={"step": run.step, "attempt": run.attempt, "error_code": run.error_code},
        now=now,
    )
