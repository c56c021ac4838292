"""A job that ends while its steps are still about: cancelled, failed, blocked, tried again."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.services.users import set_active
from apps.billing import selectors as billing
from apps.billing.models import LossEntry, RateCardVersion, ReserveHold, ReserveLedgerEntry
from apps.billing.types import NoPrice
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.states import WrongState
from apps.common.tenancy import TenantId
from apps.llm.models import LLMCall
from apps.llm.types import Completion
from apps.orchestration.flows.report import begin_call, record_answer, run_step
from apps.orchestration.models import Job, JobRun
from apps.orchestration.services import calls
from apps.orchestration.services.calls import send_call
from apps.orchestration.services.jobs import cancel_job, retry_job
from apps.orchestration.services.steps import claim_run, execute_run
from apps.orchestration.services.sweeping import sweep
from apps.orchestration.types import JobNotFound, JobState, RunState, RunView
from apps.reporting.models import Report
from apps.reporting.services import delete_report
from apps.reporting.types import ReportNotFound
from apps.tenants.types import Actor
from tests.factories.accounts import make_staff
from tests.factories.orchestration import (
    begin_report,
    call_of,
    claw_back,
    drain_reserve,
    fault,
    make_writer,
    model_server,
    run_of,
    set_policy,
    work,
)

pytestmark = pytest.mark.django_db


def claim(run: JobRun) -> RunView:
    claimed = claim_run(tenant=TenantId(run.tenant_id), run_id=run.pk, now=clock.now())
    assert claimed is not None
    return claimed[2]


def send(run: RunView, job: Job) -> Completion:
    """The step's call, sent and answered, its answer not yet written down."""
    call_id = call_of(run_of(job, run.step))
    assert begin_call(run, call_id=call_id, now=clock.now())
    return send_call(tenant=run.tenant, call_id=call_id)


def settle(run: RunView, job: Job, completion: Completion) -> None:
    call_id = call_of(run_of(job, run.step))
    record_answer(run, call_id=call_id, completion=completion, occurred_at=clock.now(), now=clock.now())


def execute(job: Job, step: str) -> None:
    assert execute_run(tenant=TenantId(job.tenant_id), run_id=run_of(job, step).pk, clock=clock.now)


def sum_debits(job: Job) -> int:
    rows = ReserveLedgerEntry.objects.filter(tenant_id=job.tenant_id, kind="usage")
    return -sum(row.amount_micros for row in rows)


def cancel(actor: Actor, job: Job) -> None:
    cancel_job(actor=actor, job_id=job.pk, now=clock.now())


@pytest.mark.failure("M34")
def test_a_call_that_was_sent_before_the_cancel_is_paid_and_shown_as_the_jobs_cost() -> None:
    actor = make_writer()
    job = begin_report(actor)
    run = claim(run_of(job))
    completion = send(run, job)
    cancel(actor, job)
    settle(run, job, completion)
    job.refresh_from_db()
    assert (job.state, run_of(job).state) == (JobState.CANCELLED, RunState.CANCELLED)
    assert job.cost_micros == sum_debits(job) > 0
    assert Report.objects.get().state == "cancelled"


def test_an_unusable_answer_after_the_cancel_is_in_the_jobs_cost_too() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed"))
        job = begin_report(actor)
        run = claim(run_of(job))
        completion = send(run, job)
    cancel(actor, job)
    settle(run, job, completion)
    job.refresh_from_db()
    assert job.cost_micros == sum_debits(job) > 0


def test_what_was_paid_in_vain_is_in_the_cost_of_a_job_cancelled_before_its_next_attempt() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed", times=1))
        job = begin_report(actor)
        execute(job, "write-1")
    cancel(actor, job)
    job.refresh_from_db()
    assert job.cost_micros == sum_debits(job) > 0


@pytest.mark.failure("M34")
def test_a_call_that_was_not_sent_before_the_cancel_never_is() -> None:
    actor = make_writer()
    job = begin_report(actor)
    run = claim(run_of(job))
    cancel(actor, job)
    run_step(run, clock.now)
    assert LLMCall.objects.get().state == "failed"
    assert (ReserveHold.objects.get().state, run_of(job).state) == ("released", RunState.CANCELLED)


def test_a_worker_that_comes_late_to_its_step_sends_nothing() -> None:
    job = begin_report(make_writer())
    run = claim(run_of(job))
    sweep(now=clock.now() + timedelta(minutes=10))
    run_step(run, clock.now)
    assert {call.state for call in LLMCall.objects.all()} == {"failed", "planned"}


def test_giving_up_a_call_that_has_ended_changes_nothing() -> None:
    job = work(begin_report(make_writer()))
    before = LLMCall.objects.get()
    calls.abandon_call(tenant=TenantId(job.tenant_id), call_id=before.pk, now=clock.now())
    assert (LLMCall.objects.get().state, LossEntry.objects.count()) == (before.state, 0)


def test_a_cancel_before_the_last_step_leaves_no_document() -> None:
    actor = make_writer()
    job = begin_report(actor)
    execute(job, "write-1")
    run = claim(run_of(job, "assemble"))
    cancel(actor, job)
    run_step(run, clock.now)
    report = Report.objects.get()
    assert (report.state, report.document, run_of(job, "assemble").state) == ("cancelled", None, RunState.CANCELLED)


def test_a_job_that_has_ended_well_can_neither_be_cancelled_nor_retried() -> None:
    actor = make_writer()
    job = work(begin_report(actor))
    for service in (cancel_job, retry_job):
        with pytest.raises(WrongState):
            service(actor=actor, job_id=job.pk, now=clock.now())


def test_a_job_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(JobNotFound):
        cancel_job(actor=make_writer(), job_id=uuid7(), now=clock.now())


def test_an_answer_that_comes_after_its_job_failed_is_kept_for_the_retry() -> None:
    actor = make_writer(entries=70)
    with model_server() as server:
        job = begin_report(actor)
        second = claim(run_of(job, "write-2"))
        completion = send(second, job)
        server.knobs.add(fault("status", status=401, times=1))
        execute(job, "write-1")
        settle(second, job, completion)
        job.refresh_from_db()
        assert (job.state, job.cost_micros) == (JobState.FAILED, sum_debits(job))
        paid = job.cost_micros
        retry_job(actor=actor, job_id=job.pk, now=clock.now())
        work(job)
    assert (job.state, run_of(job, "write-2").attempt) == (JobState.SUCCEEDED, 1)
    assert job.cost_micros == sum_debits(job) > paid > 0


def test_a_retry_beside_a_step_that_still_runs_starts_no_copy_of_it() -> None:
    actor = make_writer(entries=70)
    with model_server() as server:
        job = begin_report(actor)
        second = claim(run_of(job, "write-2"))
        completion = send(second, job)
        server.knobs.add(fault("status", status=401, times=1))
        execute(job, "write-1")
        retry_job(actor=actor, job_id=job.pk, now=clock.now())
        settle(second, job, completion)
        work(job)
    assert job.state == JobState.SUCCEEDED
    assert job.runs.filter(step="write-2").count() == 1


def test_a_blocked_job_goes_on_once_the_money_is_there() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed", times=1))
        job = begin_report(actor)
        set_policy(actor, "block")
        claw_back(actor)
        work(job)
        assert (job.state, Report.objects.get().state) == (JobState.BLOCKED, "pending")
        drain_reserve(actor, leave_micros=5_000_000)
        retry_job(actor=actor, job_id=job.pk, now=clock.now())
        work(job)
    assert (job.state, Report.objects.get().state) == (JobState.SUCCEEDED, "ready")
    assert billing.get_balance(tenant=actor.tenant).balance_micros == 5_000_000 - debit_of_last(job)


def debit_of_last(job: Job) -> int:
    row = ReserveLedgerEntry.objects.filter(tenant_id=job.tenant_id, kind="usage").order_by("-seq")[0]
    return -row.amount_micros


def test_a_blocked_job_can_be_cancelled() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed", times=1))
        job = begin_report(actor)
        set_policy(actor, "block")
        claw_back(actor)
        work(job)
    cancel(actor, job)
    assert Report.objects.get().state == "cancelled"
    assert Job.objects.get().cost_micros == sum_debits(job) > 0


def test_a_model_that_lost_its_price_fails_the_job_with_the_answer_paid(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**rest: Any) -> None:
        raise NoPrice

    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed", times=1))
        job = begin_report(actor)
        monkeypatch.setattr(calls, "quote_prompt", refuse)
        work(job)
    assert (job.state, job.error_code, Report.objects.get().state) == (JobState.FAILED, "no_price", "failed")
    assert (job.cost_micros, LossEntry.objects.count()) == (sum_debits(job), 0)


def test_a_dead_worker_on_a_model_that_lost_its_price_does_not_stop_the_sweeper() -> None:
    job = begin_report(make_writer())
    claim(run_of(job))
    RateCardVersion.objects.update(valid_to=clock.now())
    assert sweep(now=clock.now() + timedelta(minutes=10)).expired_runs == 1
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "no_price")


def test_the_report_of_a_failed_job_cannot_be_written_again_once_it_is_deleted() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("status", status=401))
        job = work(begin_report(actor))
    delete_report(actor=actor, report_id=job.subject_id, now=clock.now())
    with pytest.raises(ReportNotFound):
        retry_job(actor=actor, job_id=job.pk, now=clock.now())
    assert billing.get_balance(tenant=actor.tenant).held_micros == 0


def test_nothing_more_is_spent_for_a_person_whose_account_was_closed() -> None:
    actor = make_writer()
    job = begin_report(actor)
    switch(actor, is_active=False)
    work(job)
    assert (job.state, job.error_code, job.cost_micros) == (JobState.FAILED, "account_closed", 0)
    assert (LLMCall.objects.get().state, ReserveHold.objects.get().state) == ("failed", "released")
    switch(actor, is_active=True)
    retry_job(actor=actor, job_id=job.pk, now=clock.now())
    assert work(job).state == JobState.SUCCEEDED


def switch(actor: Actor, *, is_active: bool) -> None:
    staff = make_staff()
    set_active(actor=staff.user_id, user_id=actor.user_id, is_active=is_active, reason="test", now=clock.now())
