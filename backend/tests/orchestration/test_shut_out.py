"""Somebody is shut out while their job runs: nothing more is spent for them."""

import pytest

from apps.accounts.services.users import set_active
from apps.billing import selectors as billing
from apps.billing.models import LossEntry, UsageEvent
from apps.common import clock
from apps.common.tenancy import TenantId
from apps.llm.models import LLMCall
from apps.llm.types import CallState
from apps.orchestration.flows.report import begin_call, record_answer, run_step
from apps.orchestration.models import Job, JobRun
from apps.orchestration.services.calls import send_call
from apps.orchestration.services.steps import claim_run
from apps.orchestration.types import JobState, RunState, RunView
from tests.factories.orchestration import begin_report, call_of, make_writer, run_of, work

pytestmark = [pytest.mark.django_db, pytest.mark.failure("A09")]


def shut_out(job: Job) -> None:
    set_active(actor=job.author_id, user_id=job.author_id, is_active=False, reason="left", now=clock.now())


def claim(run: JobRun) -> RunView:
    claimed = claim_run(tenant=TenantId(run.tenant_id), run_id=run.pk, now=clock.now())
    assert claimed is not None
    return claimed[2]


def test_a_step_under_way_ends_before_its_call_is_sent() -> None:
    job = begin_report(make_writer())
    run = claim(run_of(job))
    shut_out(job)
    run_step(run, clock.now)
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "account_closed")
    assert JobRun.objects.get(pk=run.id).state == RunState.CANCELLED
    assert LLMCall.objects.get(pk=call_of(run_of(job))).state == CallState.FAILED
    assert (UsageEvent.objects.count(), LossEntry.objects.count()) == (0, 0)
    assert billing.get_balance(tenant=TenantId(job.tenant_id)).held_micros == 0


def test_a_step_that_waits_is_not_begun() -> None:
    job = begin_report(make_writer())
    shut_out(job)
    run = run_of(job)
    assert claim_run(tenant=TenantId(run.tenant_id), run_id=run.pk, now=clock.now()) is None
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "account_closed")


@pytest.mark.failure("M45")
def test_an_answer_that_was_under_way_is_paid_for_and_nothing_follows() -> None:
    job = begin_report(make_writer())
    run, call_id, now = claim(run_of(job)), call_of(run_of(job)), clock.now()
    assert begin_call(run, call_id=call_id, now=now)
    completion = send_call(tenant=run.tenant, call_id=call_id)
    shut_out(job)
    record_answer(run, call_id=call_id, completion=completion, occurred_at=now, now=clock.now())
    assert UsageEvent.objects.count() == 1
    assert work(job).error_code == "account_closed"
    assert run_of(job, "assemble").state == RunState.CANCELLED
