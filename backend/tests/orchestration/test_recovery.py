"""Workers die, hints are lost, copies arrive: every call ends as exactly one of usage and loss."""

from datetime import timedelta
from typing import Any

import pytest
import stamina
from django.db import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from apps.billing import selectors as billing
from apps.billing.models import LossEntry, ReserveHold, UsageEvent
from apps.billing.services.holds import release_hold
from apps.billing.types import HoldNotOpen, Meter, ReserveBusy
from apps.common import clock
from apps.common.tenancy import TenantId
from apps.llm.models import LLMCall
from apps.llm.types import ModelUnavailable
from apps.orchestration import dispatch
from apps.orchestration.flows.report import record_answer, record_failed_call
from apps.orchestration.models import JobRun
from apps.orchestration.services import calls
from apps.orchestration.services.calls import claim_call, send_call
from apps.orchestration.services.steps import claim_run, execute_run, give_up_run
from apps.orchestration.services.sweeping import close_overdue_hold, close_overdue_holds, dispatch_due_runs, sweep
from apps.orchestration.types import JobState, RunState, RunView
from tests.factories.orchestration import begin_report, call_of, make_writer, run_of, work

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=10)


def claim(run: JobRun) -> RunView:
    claimed = claim_run(tenant=TenantId(run.tenant_id), run_id=run.pk, now=clock.now())
    assert claimed is not None
    return claimed[2]


def count_outcomes(call: LLMCall) -> tuple[int, int]:
    """How many usage events and losses a call has."""
    usage = UsageEvent.objects.filter(call_id=call.pk).count()
    return usage, LossEntry.objects.filter(call_id=call.pk).count()


@pytest.mark.failure("M11")
def test_a_worker_that_dies_after_the_answer_leaves_one_loss_and_the_next_attempt_delivers() -> None:
    job = begin_report(make_writer())
    run = claim(run_of(job))
    claim_call(tenant=run.tenant, call_id=call_of(run_of(job)), now=clock.now())
    send_call(tenant=run.tenant, call_id=call_of(run_of(job)))
    # Here the process ends: nothing of the answer was written.
    assert sweep(now=clock.now() + LATER).expired_runs == 1
    assert work(job).state == JobState.SUCCEEDED
    lost, delivered = LLMCall.objects.order_by("id")
    assert (count_outcomes(lost), count_outcomes(delivered)) == ((0, 1), (1, 0))
    balance = billing.get_balance(tenant=TenantId(job.tenant_id))
    assert (balance.held_micros, balance.balance_micros) == (0, 5_000_000 - job.cost_micros)


def test_a_worker_that_dies_before_sending_costs_nobody_anything() -> None:
    job = begin_report(make_writer())
    claim(run_of(job))
    sweep(now=clock.now() + LATER)
    assert work(job).state == JobState.SUCCEEDED
    assert (LossEntry.objects.count(), UsageEvent.objects.filter(meter=Meter.LLM_TOKENS).count()) == (0, 1)


@pytest.mark.failure("M38")
def test_a_slow_worker_that_comes_back_after_the_sweeper_changes_nothing() -> None:
    job = begin_report(make_writer())
    run, call_id = claim(run_of(job)), call_of(run_of(job))
    claim_call(tenant=run.tenant, call_id=call_id, now=clock.now())
    completion = send_call(tenant=run.tenant, call_id=call_id)
    sweep(now=clock.now() + LATER)
    record_answer(run, call_id=call_id, completion=completion, occurred_at=clock.now(), now=clock.now())
    error = ModelUnavailable("timeout", was_served=None)
    record_failed_call(run, call_id=call_id, error=error, now=clock.now())
    assert not give_up_run(run=run, code="late", message="late", now=clock.now())
    assert count_outcomes(LLMCall.objects.get(pk=call_id)) == (0, 1)


@pytest.mark.failure("M37", "M39")
def test_sweeping_twice_books_one_loss() -> None:
    job = begin_report(make_writer())
    run = claim(run_of(job))
    claim_call(tenant=run.tenant, call_id=call_of(run_of(job)), now=clock.now())
    sweep(now=clock.now() + LATER)
    sweep(now=clock.now() + LATER)
    assert LossEntry.objects.count() == 1


def test_a_job_that_waits_long_keeps_its_hold() -> None:
    job = begin_report(make_writer())
    later = clock.now() + LATER
    assert close_overdue_holds(now=later) == 0
    hold = ReserveHold.objects.get()
    assert (hold.state, hold.expires_at > later) == ("open", True)
    assert work(job).state == JobState.SUCCEEDED


def test_a_step_that_a_living_worker_holds_keeps_its_hold() -> None:
    job = begin_report(make_writer())
    claim(run_of(job))
    ReserveHold.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert close_overdue_holds(now=clock.now()) == 0
    assert ReserveHold.objects.get().state == "open"


@pytest.mark.failure("M37")
def test_the_hold_of_a_step_whose_worker_is_gone_ends_with_its_attempt() -> None:
    job = begin_report(make_writer())
    claim(run_of(job))
    assert close_overdue_holds(now=clock.now() + LATER) == 1
    assert ReserveHold.objects.order_by("created_at")[0].state == "released"
    assert work(job).state == JobState.SUCCEEDED


def test_a_hold_whose_step_has_ended_is_ended() -> None:
    job = begin_report(make_writer())
    JobRun.objects.filter(pk=run_of(job).pk).update(state=RunState.CANCELLED)
    assert close_overdue_holds(now=clock.now() + LATER) == 1
    assert billing.get_balance(tenant=TenantId(job.tenant_id)).held_micros == 0


def test_a_hold_that_was_settled_after_it_was_listed_is_left_alone() -> None:
    job = begin_report(make_writer())
    listed = billing.list_overdue_holds(now=clock.now() + LATER, limit=10)
    hold = listed[0]
    release_hold(tenant=hold.tenant, hold_id=hold.id, now=clock.now())
    assert not close_overdue_hold(hold=hold, now=clock.now() + LATER)
    assert ReserveHold.objects.get(pk=hold.id).state == "released"
    assert run_of(job).state == RunState.READY


def test_a_step_claimed_with_a_dead_hold_starts_over_with_a_fresh_one() -> None:
    job = begin_report(make_writer())
    hold = ReserveHold.objects.get(job_id=job.pk)
    release_hold(tenant=TenantId(job.tenant_id), hold_id=hold.pk, now=clock.now())
    assert work(job).state == JobState.SUCCEEDED


def test_a_copy_of_the_task_finds_nothing_to_do() -> None:
    job = begin_report(make_writer())
    run = run_of(job)
    assert execute_run(tenant=TenantId(run.tenant_id), run_id=run.pk, clock=clock.now)
    assert not execute_run(tenant=TenantId(run.tenant_id), run_id=run.pk, clock=clock.now)
    assert LLMCall.objects.count() == 1


def test_a_task_with_another_tenants_id_finds_nothing() -> None:
    run, stranger = run_of(begin_report(make_writer())), make_writer()
    assert not execute_run(tenant=stranger.tenant, run_id=run.pk, clock=clock.now)


def test_a_lost_hint_is_repeated_until_the_step_is_claimed() -> None:
    sent: list[object] = []
    job = begin_report(make_writer())
    dispatch.plug_sender(lambda tenant, run_id: sent.append(run_id))
    assert dispatch_due_runs(now=clock.now()) == 0
    assert dispatch_due_runs(now=clock.now() + timedelta(seconds=30)) == 1
    assert sent == [run_of(job).pk]
    work(job)
    assert dispatch_due_runs(now=clock.now() + LATER) == 0


def test_a_broker_that_is_away_does_not_undo_the_report(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def refuse(tenant: object, run_id: object) -> None:
        raise ConnectionError("no broker")

    dispatch.plug_sender(refuse)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        job = begin_report(make_writer())
    assert callbacks
    assert run_of(job).state == RunState.READY


def test_an_absent_broker_is_waited_for_once_however_many_steps_are_due(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    asked: list[object] = []

    def refuse(tenant: object, run_id: object) -> None:
        asked.append(run_id)
        raise ConnectionError("no broker")

    dispatch.plug_sender(refuse)
    with django_capture_on_commit_callbacks(execute=True):
        job = begin_report(make_writer(entries=130))
    assert job.runs.filter(state=RunState.READY).count() == 3
    assert len(asked) == 1


def test_one_attempt_that_cannot_be_ended_does_not_keep_the_others_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, other = begin_report(make_writer()), begin_report(make_writer())
    claim(run_of(broken))
    claim(run_of(other))

    def refuse_one(*, run: RunView, **rest: Any) -> bool:
        if run.job_id == broken.pk:
            raise RuntimeError("beyond repair")
        return give_up_run(run=run, **rest)

    monkeypatch.setattr("apps.orchestration.services.sweeping.give_up_run", refuse_one)
    assert sweep(now=clock.now() + LATER).expired_runs == 1
    assert work(other).state == JobState.SUCCEEDED


def test_an_answer_waits_for_a_busy_reserve_rather_than_becoming_a_loss(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settle, refusals = calls.settle_call, [ReserveBusy(), OperationalError("the database restarts")]

    def settle_third_time(**rest: Any) -> None:
        if refusals:
            raise refusals.pop()
        settle(**rest)

    monkeypatch.setattr(calls, "settle_call", settle_third_time)
    with stamina.set_testing(True, attempts=3):
        job = work(begin_report(make_writer()))
    assert job.state == JobState.SUCCEEDED
    assert (LossEntry.objects.count(), UsageEvent.objects.filter(meter=Meter.LLM_TOKENS).count()) == (0, 1)
    assert "Kubernetes" not in caplog.text


def test_an_answer_without_a_reservation_is_not_kept() -> None:
    job = begin_report(make_writer())
    run, call_id = claim(run_of(job)), call_of(run_of(job))
    claim_call(tenant=run.tenant, call_id=call_id, now=clock.now())
    completion = send_call(tenant=run.tenant, call_id=call_id)
    release_hold(tenant=run.tenant, hold_id=ReserveHold.objects.get().pk, now=clock.now())
    with pytest.raises(HoldNotOpen):
        record_answer(run, call_id=call_id, completion=completion, occurred_at=clock.now(), now=clock.now())
    assert LLMCall.objects.get().state == "sent"


def test_a_crash_of_our_own_code_ends_the_attempt_at_once(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.FAILPOINTS = {"after_llm_response": "raise"}
    job = work(begin_report(make_writer()))
    assert (job.state, job.error_code) == (JobState.FAILED, "internal_error")
    assert LossEntry.objects.count() == 3
    assert UsageEvent.objects.count() == 0


@pytest.fixture(autouse=True)
def _no_sender() -> object:
    dispatch.plug_sender(lambda tenant, run_id: None)
    return None
