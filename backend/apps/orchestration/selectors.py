"""Reading jobs. A person sees the jobs that they started."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from apps.common.states import WrongState
from apps.common.tenancy import TenantId
from apps.observability.models import EventRecord
from apps.observability.selectors import list_events
from apps.orchestration.models import AccountDeletion, DataExport, Job, JobRun
from apps.orchestration.personal_types import OPEN_DELETIONS, DeletionScheduled, ExportNotFound, ExportState
from apps.orchestration.types import ACTIVE_JOB_STATES, JOB_STATES, JobCost, JobKind, JobNotFound, JobState
from apps.tenants.types import Actor


def list_jobs(*, actor: Actor) -> QuerySet[Job]:
    """The person's jobs, newest first, with their steps at hand, but not with what these took and brought."""
    steps = Prefetch("runs", queryset=JobRun.objects.defer("payload", "output"))
    return Job.objects.filter(tenant_id=actor.tenant, author_id=actor.user_id).prefetch_related(steps).order_by("-id")


def get_job(*, actor: Actor, job_id: UUID) -> Job:
    """One of the person's jobs. Raises JobNotFound."""
    job = list_jobs(actor=actor).filter(pk=job_id).first()
    if job is None:
        raise JobNotFound
    return job


def get_job_costs(*, actor: Actor, job_ids: Collection[UUID]) -> dict[UUID, JobCost]:
    """Estimate and cost of several of the person's jobs, in one query."""
    rows = Job.objects.filter(tenant_id=actor.tenant, author_id=actor.user_id, pk__in=job_ids)
    return {
        row.pk: JobCost(estimate_micros=row.estimate_micros, cost_micros=row.cost_micros if row.finished_at else None)
        for row in rows.only("estimate_micros", "cost_micros", "finished_at")
    }


def list_job_events(*, actor: Actor, job_id: UUID) -> QuerySet[EventRecord]:
    """What happened to a job, oldest first."""
    job = get_job(actor=actor, job_id=job_id)
    return list_events(tenant=job.tenant_id, subject_id=job.pk)


def count_running_jobs(*, tenant: TenantId) -> int:
    """How many of the tenant's jobs wait or run."""
    return Job.objects.filter(tenant_id=tenant, state__in=ACTIVE_JOB_STATES).count()


def count_open_jobs_of(*, tenant: TenantId, author_id: UUID) -> int:
    """How many jobs of one person could still go on."""
    states = JOB_STATES.sources_of(JobState.CANCELLED)
    return Job.objects.filter(tenant_id=tenant, author_id=author_id, state__in=states).count()


def list_steps(job: Job) -> list[JobRun]:
    """The newest attempt of each step, in order, from the runs that the job was loaded with."""
    newest: dict[int, JobRun] = {}
    for run in job.runs.all():
        if run.position not in newest or run.attempt > newest[run.position].attempt:
            newest[run.position] = run
    return [newest[position] for position in sorted(newest)]


def compute_progress(job: Job) -> int:
    """How far the job is, in whole percent of its steps."""
    steps = list_steps(job)
    done = sum(step.state == "succeeded" for step in steps)
    return 100 * done // len(steps) if steps else 0


def check_can_cancel(job: Job) -> None:
    """Raises WrongState with the reason when the job cannot be cancelled any more."""
    if not JOB_STATES.allows(JobState(job.state), JobState.CANCELLED):
        raise WrongState(f"This job has already ended: {job.state}.")


def check_can_retry(job: Job) -> None:
    """Raises WrongState with the reason when there is nothing to retry."""
    if job.state not in {JobState.FAILED, JobState.BLOCKED}:
        raise WrongState("Only a failed or blocked job can be retried.")


def can_cancel(job: Job) -> bool:
    try:
        check_can_cancel(job)
    except WrongState:
        return False
    return True


def can_retry(job: Job) -> bool:
    try:
        check_can_retry(job)
    except WrongState:
        return False
    return True


def find_open_deletion(*, user_id: UUID) -> AccountDeletion | None:
    """The deletion of the person's account that is scheduled or under way, or None."""
    return AccountDeletion.objects.filter(user_id=user_id, state__in=OPEN_DELETIONS).first()


def check_can_start_job(*, actor: Actor, kind: JobKind) -> None:
    """Raises DeletionScheduled: who is leaving starts nothing new, but may still take their data along."""
    if kind != JobKind.EXPORT and find_open_deletion(user_id=actor.user_id) is not None:
        raise DeletionScheduled


def list_exports(*, actor: Actor) -> QuerySet[DataExport]:
    """The exports that the person has asked for, newest first."""
    return DataExport.objects.filter(tenant_id=actor.tenant, user_id=actor.user_id).order_by("-id")


def get_downloadable_export(*, actor: Actor, export_id: UUID, now: datetime) -> DataExport:
    """The person's own export while its link is open. Raises ExportNotFound, WrongState."""
    export = list_exports(actor=actor).filter(pk=export_id).first()
    if export is None:
        raise ExportNotFound
    if export.state != ExportState.READY or export.expires_at is None or export.expires_at <= now:
        raise WrongState("This export cannot be downloaded (any more). Ask for a new one.")
    return export
