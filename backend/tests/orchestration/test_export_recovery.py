"""Exports that are interrupted, expire or are huge."""

import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import override_settings

from apps.accounts.services.users import set_active
from apps.artifacts.services import list_files, open_file
from apps.artifacts.types import FileNotStored, Purpose, StoredFile
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.states import WrongState
from apps.common.tenancy import TenantId
from apps.mail.models import OutgoingMail
from apps.orchestration.archive.container import Archive
from apps.orchestration.archive.contents import Subject, write_contents
from apps.orchestration.flows import export as flow
from apps.orchestration.models import DataExport, Job, JobRun
from apps.orchestration.personal_types import EXPORT_STATES, ExportNotFound, ExportState
from apps.orchestration.services import exports
from apps.orchestration.services.jobs import cancel_job, retry_job
from apps.orchestration.services.steps import execute_run
from apps.orchestration.services.sweeping import sweep
from apps.orchestration.types import JobState, RunState, RunView
from apps.tenants.types import Actor
from apps.worklog.models import WorkLog, WorkLogVersion
from tests.factories.accounts import make_actor
from tests.factories.mydata import begin_export, export_of, make_export, read_export
from tests.factories.orchestration import run_of, work

pytestmark = pytest.mark.django_db

LATER: Final = timedelta(days=1)


@pytest.fixture(autouse=True)
def _own_storage(tmp_path: Path) -> Iterator[None]:
    with override_settings(
        STORAGES={
            "default": {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": str(tmp_path / "media")},
            },
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        }
    ):
        yield


def files_of(actor: Actor) -> list[str]:
    return [key for key, _ in list_files(tenant=actor.tenant, purpose=Purpose.EXPORT)]


def do(job: Job, step: str) -> JobRun:
    """Runs the newest attempt of a step."""
    run = run_of(job, step)
    execute_run(tenant=TenantId(job.tenant_id), run_id=run.pk, clock=clock.now)
    return run_of(job, step)


def crash(job: Job, place: str) -> None:
    """A worker dies at the place: its attempt stays open, whatever it has put stays where it is."""
    with override_settings(FAILPOINTS={place: "raise"}), pytest.MonkeyPatch.context() as patch:
        patch.setattr("apps.orchestration.services.steps.give_up_run", lambda **_: False)
        do(job, "write")


def recover(job: Job) -> None:
    """The sweeper finds the dead worker, and somebody else does the work."""
    sweep(now=clock.now() + timedelta(minutes=10))
    work(job)


@pytest.mark.failure("U13")
@pytest.mark.parametrize("place", ["export_before_put", "export_after_put"])
def test_a_crash_around_the_put_ends_with_one_file_and_no_orphan(place: str) -> None:
    actor = make_actor()
    job = begin_export(actor)
    do(job, "gather")
    crash(job, place)
    assert export_of(job).state == "pending"
    recover(job)
    export = export_of(job)
    assert (export.state, job.state) == ("ready", JobState.SUCCEEDED)
    assert files_of(actor) == [export.key]
    assert "worklog.json" in read_export(export)


@pytest.mark.failure("U13")
def test_a_crash_in_a_job_that_is_given_up_leaves_a_row_that_fails_and_no_file() -> None:
    actor = make_actor()
    job = begin_export(actor)
    do(job, "gather")
    crash(job, "export_after_put")
    cancel_job(actor=actor, job_id=job.pk, now=clock.now())
    assert export_of(job).state == "failed"
    assert len(files_of(actor)) == 1
    assert exports.purge_files(now=clock.now()) == 1
    assert files_of(actor) == []
    assert exports.purge_files(now=clock.now()) == 0


@pytest.mark.failure("U13")
def test_a_file_that_no_row_claims_is_swept_when_it_is_old_enough() -> None:
    actor = make_actor()
    export = make_export(actor)
    orphan = default_storage.save(f"{actor.tenant}/exports/forgotten.zip", ContentFile(b"zip"))
    assert exports.sweep_orphans(now=clock.now()) == 0
    assert exports.sweep_orphans(now=clock.now() + timedelta(hours=2)) == 1
    assert orphan not in files_of(actor)
    assert files_of(actor) == [export.key]


def test_a_late_worker_whose_attempt_was_closed_takes_its_file_away_again() -> None:
    actor = make_actor()
    job = begin_export(actor)
    do(job, "gather")
    run = run_of(job, "write")
    JobRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING, lease_until=clock.now())
    cancel_job(actor=actor, job_id=job.pk, now=clock.now())
    view = exports_view(run)
    assert not flow.record_file(
        view, export_id=export_of(job).pk, key="x", stored=StoredFile(size_bytes=1, sha256=""), now=clock.now()
    )
    flow.write(view, clock.now)
    assert files_of(actor) == []


def exports_view(run: JobRun) -> RunView:
    return RunView(id=run.pk, tenant=TenantId(run.tenant_id), job_id=run.job_id, step=run.step, attempt=1, payload={})


def test_a_cancelled_export_is_not_written_and_can_be_asked_for_again() -> None:
    actor = make_actor()
    job = begin_export(actor)
    cancel_job(actor=actor, job_id=job.pk, now=clock.now())
    assert (work(job).state, export_of(job).state) == (JobState.CANCELLED, "failed")
    assert begin_export(actor).pk != job.pk


@pytest.mark.parametrize("step", ["gather", "finish"])
def test_a_step_of_a_cancelled_job_does_nothing(step: str) -> None:
    actor = make_actor()
    job = begin_export(actor)
    run = run_of(job, step)
    cancel_job(actor=actor, job_id=job.pk, now=clock.now())
    JobRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING, lease_until=clock.now())
    flow.run_step(exports_view(run), clock.now)
    assert run_of(job, step).state == RunState.CANCELLED


def test_an_export_that_failed_can_be_retried() -> None:
    actor = make_actor()
    job = begin_export(actor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apps.artifacts.storage.put_object", lambda **_: 1 / 0)
        for _ in range(3):
            work(job)
            sweep(now=clock.now() + timedelta(minutes=5))
            JobRun.objects.filter(job=job, state=RunState.READY).update(next_dispatch_at=clock.now())
    job.refresh_from_db()
    assert (job.state, export_of(job).state) == (JobState.FAILED, "failed")
    retry_job(actor=actor, job_id=job.pk, now=clock.now())
    assert (work(job).state, export_of(job).state) == (JobState.SUCCEEDED, "ready")


def test_a_failed_export_is_not_retried_beside_another_one() -> None:
    actor = make_actor()
    job = begin_export(actor)
    set_state(job, JobState.FAILED, ExportState.FAILED)
    begin_export(actor)
    with pytest.raises(WrongState):
        retry_job(actor=actor, job_id=job.pk, now=clock.now())


def set_state(job: Job, state: JobState, export_state: ExportState) -> None:
    Job.objects.filter(pk=job.pk).update(state=state)
    JobRun.objects.filter(job=job).update(state=RunState.CANCELLED)
    DataExport.objects.filter(job=job).update(state=export_state)


def test_nothing_is_written_for_somebody_whose_account_was_closed() -> None:
    actor = make_actor()
    job = begin_export(actor)
    set_active(actor=actor.user_id, user_id=actor.user_id, is_active=False, reason="", now=clock.now())
    assert (work(job).state, export_of(job).state) == (JobState.FAILED, "failed")


def test_a_long_export_keeps_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    job = begin_export(make_actor())
    do(job, "gather")
    moment = clock.now()

    def tick() -> Any:
        nonlocal moment
        moment += timedelta(seconds=15)
        return moment

    execute_run(tenant=TenantId(job.tenant_id), run_id=run_of(job, "write").pk, clock=tick)
    run = run_of(job, "write")
    assert run.started_at is not None
    assert run.lease_until is not None
    assert run.lease_until > run.started_at + timedelta(seconds=180 + 20)


def test_the_person_is_told_by_a_link_to_the_page_and_not_to_the_file() -> None:
    export = make_export(make_actor())
    [mail] = OutgoingMail.objects.filter(kind="export_ready")
    assert mail.user_id == export.user_id
    assert export.expires_at is not None
    assert mail.context == {"expires_on": str(export.expires_at.date())}


def test_after_a_week_the_link_is_closed_and_the_file_gone() -> None:
    actor = make_actor()
    export = make_export(actor)
    assert export.expires_at is not None
    assert exports.expire_exports(now=export.expires_at - timedelta(seconds=1)) == 0
    assert exports.expire_exports(now=export.expires_at) == 1
    assert exports.expire_exports(now=export.expires_at) == 0
    assert exports.purge_files(now=export.expires_at) == 1
    export.refresh_from_db()
    assert (export.state, files_of(actor)) == ("expired", [])
    with pytest.raises(FileNotStored):
        open_file(tenant=actor.tenant, key=export.key)


def test_somebody_faster_may_have_closed_the_link() -> None:
    export = make_export(make_actor())
    assert exports.expire_export(export=export, now=clock.now())
    assert not exports.expire_export(export=export, now=clock.now())


def test_a_storage_that_is_away_costs_the_round_and_not_the_next_one() -> None:
    actor = make_actor()
    export = make_export(actor)
    exports.expire_export(export=export, now=clock.now())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("apps.artifacts.storage.delete_object", lambda **_: 1 / 0)
        assert exports.purge_files(now=clock.now()) == 0
    assert len(files_of(actor)) == 1
    assert exports.purge_files(now=clock.now()) == 1


def test_an_export_of_somebody_else_is_not_found() -> None:
    export = make_export(make_actor())
    with pytest.raises(ExportNotFound):
        exports.lock_export(tenant=make_actor().tenant, export_id=export.pk)
    with pytest.raises(ExportNotFound):
        exports.fail_export(tenant=make_actor().tenant, export_id=export.pk, now=clock.now())


@pytest.mark.parametrize("before", ExportState)
@pytest.mark.parametrize("after", ExportState)
def test_an_export_moves_only_along_its_table(before: ExportState, after: ExportState) -> None:
    actor = make_actor()
    export = make_export(actor)
    moves: dict[ExportState, list[ExportState]] = {
        ExportState.PENDING: [],
        ExportState.READY: [],
        ExportState.EXPIRED: [ExportState.EXPIRED],
        ExportState.FAILED: [ExportState.FAILED],
    }
    if before is not ExportState.READY:
        export = export_of(begin_export(actor))
        for state in moves[before] if before is ExportState.FAILED else []:
            DataExport.objects.filter(pk=export.pk).update(state=state)
    if before is ExportState.EXPIRED:
        export = make_export(make_actor())
        exports.expire_export(export=export, now=clock.now())
    ready: dict[str, Any] = {
        "size_bytes": 1,
        "sha256": "x",
        "key": "k",
        "ready_at": clock.now(),
        "expires_at": clock.now(),
    }
    changes = ready if after is ExportState.READY else {}
    tenant = TenantId(export.tenant_id)
    if EXPORT_STATES.allows(before, after):
        assert exports._move(tenant, export.pk, to=after, now=clock.now(), **changes).state == after
    else:
        with pytest.raises(WrongState):
            exports._move(tenant, export.pk, to=after, now=clock.now(), **changes)


ENTRIES: Final = 4_000
BODY: Final = 4_000


@pytest.mark.failure("T13")
def test_a_huge_worklog_is_exported_in_bounded_memory(tmp_path: Path) -> None:
    actor = make_actor()
    write_many(actor)
    subject = Subject(tenant=actor.tenant, user_id=actor.user_id, is_owner=True)
    tracemalloc.start()
    try:
        with (tmp_path / "export.zip").open("wb") as file:
            archive = Archive(file, written_at=clock.now())
            write_contents(archive=archive, subject=subject, written_at=clock.now(), beat=lambda: None)
            archive.close()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    size = next(member["size_bytes"] for member in archive._members if member["name"] == "worklog.json")
    assert size > 2 * ENTRIES * BODY
    assert peak < 4 * 1024 * 1024


def write_many(actor: Actor) -> None:
    now = clock.now()
    entries = [
        WorkLog(
            id=uuid7(), tenant_id=actor.tenant, author_id=actor.user_id, occurred_on=now.date(),
            title=f"Entry {number}", body=f"{number} ".ljust(BODY, "x"), visibility="private", status="final",
            version=1, created_at=now, updated_at=now,
        )
        for number in range(ENTRIES)
    ]  # fmt: skip
    WorkLog.objects.bulk_create(entries, batch_size=500)
    WorkLogVersion.objects.bulk_create(
        (
            WorkLogVersion(
                tenant_id=actor.tenant, worklog=entry, version=1, editor_id=actor.user_id, edited_at=now,
                snapshot={"title": entry.title, "body": entry.body},
            )
            for entry in entries
        ),
        batch_size=500,
    )  # fmt: skip
