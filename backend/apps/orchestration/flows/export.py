"""Export of my data: gather -> write -> finish. Calls no model; costs what the plan asks for an export, if anything.

The row comes first, then the file, then the link. The ZIP is written to a file of this machine, whatever its size.
"""

import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import stamina
from django.db import IntegrityError, OperationalError, transaction

from apps.accounts.personal_data import get_address
from apps.artifacts import services as artifacts
from apps.artifacts.types import StoredFile
from apps.billing.selectors import get_job_cost
from apps.billing.services.metering import quote_use, record_use
from apps.billing.types import Meter, ReserveBusy
from apps.common.clock import Clock
from apps.common.failpoints import failpoint
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.mail.services import queue_mail
from apps.observability.services import record_audit
from apps.orchestration.archive.container import Archive
from apps.orchestration.archive.contents import Subject, write_contents
from apps.orchestration.models import DataExport, Job
from apps.orchestration.registry import Flow, register_flow
from apps.orchestration.services import exports, jobs, steps
from apps.orchestration.types import ACTIVE_JOB_STATES, JobKind, RunView, StepPlan
from apps.reporting import personal_data as reporting
from apps.tenants.selectors import get_member
from apps.tenants.types import Actor, Role
from apps.worklog import personal_data as worklog

GATHER: Final = "gather"
WRITE: Final = "write"
FINISH: Final = "finish"
TITLE: Final = "Export of my data"

# The lease of the step that writes is renewed this often, so that only a dead worker loses it.
_BEAT_EVERY: Final = timedelta(seconds=20)


def start_export(*, actor: Actor, now: datetime) -> UUID:
    """Starts an export of everything that the actor has here, and returns its job; the running one if there is one."""
    running = find_running_export(actor=actor)
    if running is not None:
        return running
    try:
        with transaction.atomic():
            return _start(actor=actor, now=now)
    except IntegrityError:
        # Two wishes at the same moment: the unique key let one through.
        running = find_running_export(actor=actor)
        if running is None:
            raise
        return running


def find_running_export(*, actor: Actor) -> UUID | None:
    """The job of the export that is being written for the actor."""
    active = Job.objects.filter(
        tenant_id=actor.tenant, author_id=actor.user_id, kind=JobKind.EXPORT, state__in=ACTIVE_JOB_STATES
    )
    return active.order_by("-id").values_list("id", flat=True).first()


def _start(*, actor: Actor, now: datetime) -> UUID:
    export_id, job_id = uuid7(), uuid7()
    jobs.create_job(
        actor=actor,
        job_id=job_id,
        kind=JobKind.EXPORT,
        title=TITLE,
        params={},
        subject_id=export_id,
        idempotency_key=None,
        estimate_micros=quote_use(tenant=actor.tenant, meter=Meter.EXPORTS, quantity=1, at=now),
        steps=[
            StepPlan(name=GATHER, label="Look what there is"),
            StepPlan(name=WRITE, label="Write the files", needs=(GATHER,)),
            StepPlan(name=FINISH, label="Open the link", needs=(WRITE,)),
        ],
        now=now,
    )
    DataExport.objects.create(
        id=export_id, tenant_id=actor.tenant, user_id=actor.user_id, job_id=job_id, created_at=now
    )
    record_audit(
        tenant=actor.tenant,
        actor=actor.user_id,
        action="export.requested",
        target_kind="data_export",
        target_id=export_id,
        now=now,
    )
    return job_id


def run_step(run: RunView, clock: Clock) -> None:
    if run.step != FINISH:
        {GATHER: gather, WRITE: write}[run.step](run, clock)
        return
    # A reserve that is busy for a moment must not cost the export an attempt.
    for attempt in stamina.retry_context(on=(OperationalError, ReserveBusy), attempts=5, timeout=30):
        with attempt:
            finish(run, clock)


@transaction.atomic
def gather(run: RunView, clock: Clock) -> None:
    """Says how much there is, for the page that waits."""
    now = clock()
    locked = steps.lock_wanted(run, now=now)
    if locked is None:
        return
    job, row = locked
    whose: dict[str, Any] = {"tenant": run.tenant, "author": job.author_id}
    counts = {"entries": worklog.count_entries(**whose), "reports": reporting.count_reports(**whose)}
    steps.complete_run(job, row, output=counts, now=now)


def write(run: RunView, clock: Clock) -> None:
    """Writes the ZIP to a file of this machine and puts it into the storage, under a key that its row names before."""
    begun = begin_write(run, now=clock())
    if begun is None:
        return
    subject, export_id, before, key = begun
    if before:
        artifacts.remove_file(tenant=run.tenant, key=before)
    failpoint("export_before_put")
    stored = write_file(subject=subject, key=key, written_at=clock(), beat=_make_beat(run, clock))
    failpoint("export_after_put")
    if not record_file(run, export_id=export_id, key=key, stored=stored, now=clock()):
        # Somebody else has taken over, or the person does not want it any more: nobody will ask for this file.
        artifacts.remove_file(tenant=run.tenant, key=key)


def write_file(*, subject: Subject, key: str, written_at: datetime, beat: Callable[[], None]) -> StoredFile:
    """The ZIP of a person, in the storage."""
    with tempfile.TemporaryDirectory(prefix="afterresume-export-") as folder:
        path = Path(folder) / "export.zip"
        with path.open("wb") as file:
            archive = Archive(file, written_at=written_at)
            write_contents(archive=archive, subject=subject, written_at=written_at, beat=beat)
            archive.close()
        beat()
        return artifacts.store_file(tenant=subject.tenant, key=key, path=path)


@transaction.atomic
def begin_write(run: RunView, *, now: datetime) -> tuple[Subject, UUID, str, str] | None:
    """Commits where the file will lie: (whose, export, the earlier attempt's key, the key), None if unwanted."""
    locked = steps.lock_wanted(run, now=now)
    if locked is None:
        return None
    job, _ = locked
    before, key = exports.begin_file(tenant=run.tenant, export_id=job.subject_id)
    member = get_member(tenant=run.tenant, user_id=job.author_id)
    subject = Subject(tenant=run.tenant, user_id=job.author_id, is_owner=member.role == Role.OWNER)
    return subject, job.subject_id, before, key


@transaction.atomic
def record_file(run: RunView, *, export_id: UUID, key: str, stored: StoredFile, now: datetime) -> bool:
    """Keeps what was put and ends the step. False when the file is not wanted (any more)."""
    locked = steps.lock_wanted(run, now=now)
    if locked is None or not exports.note_file(tenant=run.tenant, export_id=export_id, key=key, stored=stored):
        return False
    job, row = locked
    steps.complete_run(job, row, output={"size_bytes": stored.size_bytes, "sha256": stored.sha256}, now=now)
    return True


def _make_beat(run: RunView, clock: Clock) -> Callable[[], None]:
    last = clock()

    def beat() -> None:
        nonlocal last
        now = clock()
        if now - last >= _BEAT_EVERY:
            steps.renew_lease(run=run, now=now)
            last = now

    return beat


@transaction.atomic
def finish(run: RunView, clock: Clock) -> None:
    """Opens the link and tells the person, by a link to the page and not to the file."""
    now = clock()
    locked = steps.lock_wanted(run, now=now)
    if locked is None:
        return
    job, row = locked
    export = exports.finish_export(tenant=run.tenant, export_id=job.subject_id, now=now)
    queue_mail(
        kind="export_ready",
        user_id=export.user_id,
        to=get_address(user_id=export.user_id),
        context={"expires_on": str(export.expires_at.date()) if export.expires_at else ""},
        now=now,
        key=f"export_ready:{export.pk}",
    )
    record_use(
        tenant=run.tenant,
        meter=Meter.EXPORTS,
        quantity=1,
        occurred_at=now,
        key=str(export.pk),
        job_id=job.pk,
        at_most_micros=job.estimate_micros,
        now=now,
    )
    steps.complete_run(job, row, output={}, now=now)


def prepare_attempt(run: RunView, now: datetime, budget_micros: int | None) -> Mapping[str, Any]:  # noqa: ARG001 - a flow's signature
    """A further attempt begins the step anew."""
    return {}


def abandon_attempt(run: RunView, now: datetime) -> None:
    """Nothing is left open: what lies in the storage without a row's word is swept."""


def compute_cost(job: Job) -> int:
    return get_job_cost(tenant=TenantId(job.tenant_id), job_id=job.pk)


def end_badly(job: Job, now: datetime) -> None:
    exports.fail_export(tenant=TenantId(job.tenant_id), export_id=job.subject_id, now=now)


def on_reopened(job: Job, now: datetime) -> None:
    exports.reopen_export(tenant=TenantId(job.tenant_id), export_id=job.subject_id, now=now)


EXPORT_FLOW: Final = Flow(
    kind=JobKind.EXPORT,
    run_step=run_step,
    prepare_attempt=prepare_attempt,
    abandon_attempt=abandon_attempt,
    compute_cost=compute_cost,
    on_failed=end_badly,
    on_cancelled=end_badly,
    on_reopened=on_reopened,
)
register_flow(EXPORT_FLOW)
