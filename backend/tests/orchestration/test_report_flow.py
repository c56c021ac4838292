"""From entries to a document with its cost in the ledger."""

import pytest
from django.db import IntegrityError

from apps.billing import selectors as billing
from apps.billing.models import LossEntry, ReserveHold, ReserveLedgerEntry, UsageEvent
from apps.billing.types import HoldState, InsufficientReserve, Meter
from apps.common import clock
from apps.common.errors import Invalid
from apps.llm.models import LLMCall
from apps.orchestration.flows.report import estimate_report
from apps.orchestration.models import Job, JobRun
from apps.orchestration.services import calls
from apps.orchestration.services.jobs import cancel_job, retry_job
from apps.orchestration.types import JobKeyReused, JobNotFound, JobState, NothingToReport, RunState
from apps.reporting import selectors as reporting
from apps.reporting.models import Report
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor
from tests.factories.orchestration import (
    ask,
    begin_report,
    claw_back,
    fault,
    make_writer,
    model_server,
    run_of,
    set_policy,
    work,
    write_entries,
)

pytestmark = pytest.mark.django_db


def debits(actor: Actor) -> list[int]:
    rows = ReserveLedgerEntry.objects.filter(tenant_id=actor.tenant, kind="usage").order_by("seq")
    return [row.amount_micros for row in rows]


def test_a_report_cites_only_the_entries_it_was_made_from() -> None:
    actor = make_writer()
    job = work(begin_report(actor))
    report = reporting.get_report(actor=actor, report_id=job.subject_id)
    assert job.state == JobState.SUCCEEDED
    assert report.document is not None
    cited = {entry for section in report.document.sections for bullet in section.bullets for entry in bullet.entry_ids}
    assert cited == {entry.id for entry in report.entries}


def test_the_cost_of_a_report_is_in_the_ledger_and_the_balance_adds_up() -> None:
    actor = make_writer(credit_micros=5_000_000)
    job = work(begin_report(actor))
    assert debits(actor) == [-job.cost_micros]
    assert 0 < job.cost_micros <= job.estimate_micros
    balance = billing.get_balance(tenant=actor.tenant)
    assert (balance.balance_micros, balance.held_micros) == (5_000_000 - job.cost_micros, 0)


def test_a_long_report_is_written_in_parts_side_by_side() -> None:
    actor = make_writer(entries=130)
    job = begin_report(actor)
    names = list(job.runs.order_by("position").values_list("step", "state"))
    assert names == [("write-1", "ready"), ("write-2", "ready"), ("write-3", "ready"), ("assemble", "waiting")]
    assert work(job).state == JobState.SUCCEEDED
    assert len(debits(actor)) == 3


def test_the_estimate_holds_what_the_report_then_reserves_and_saves_nothing() -> None:
    actor = make_writer()
    estimate = estimate_report(actor=actor, request=ask(), now=clock.now())
    assert not LLMCall.objects.exists()
    assert estimate.is_affordable
    assert begin_report(actor).estimate_micros == estimate.at_most_micros
    assert billing.get_balance(tenant=actor.tenant).held_micros == estimate.at_most_micros


def test_a_report_that_the_reserve_does_not_cover_is_refused_with_nothing_kept() -> None:
    actor = make_writer(credit_micros=10)
    set_policy(actor, "block")
    assert not estimate_report(actor=actor, request=ask(), now=clock.now()).is_affordable
    with pytest.raises(InsufficientReserve):
        begin_report(actor)
    assert [model.objects.count() for model in (Job, JobRun, LLMCall, ReserveHold, Report)] == [0, 0, 0, 0, 0]


def test_an_empty_period_is_refused_with_a_reason() -> None:
    with pytest.raises(NothingToReport):
        begin_report(make_writer(entries=0))


def test_another_persons_entry_cannot_be_chosen() -> None:
    theirs = work(begin_report(make_writer())).runs.get(step="write-1")
    mine = make_writer()
    with pytest.raises(Invalid):
        begin_report(mine, entry_ids=(theirs.pk,))


@pytest.mark.failure("M35", "M15")
def test_the_same_key_starts_one_job_and_another_wish_under_it_is_refused() -> None:
    actor = make_writer()
    first, second = begin_report(actor, key="k"), begin_report(actor, key="k")
    assert first.pk == second.pk
    assert LLMCall.objects.count() == 1
    with pytest.raises(JobKeyReused):
        begin_report(actor, key="k", title="Another")


def test_a_broken_rule_of_the_database_is_not_taken_for_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**rest: object) -> None:
        raise IntegrityError("hold: beyond what may be spent")

    monkeypatch.setattr(calls, "reserve_call", refuse)
    with pytest.raises(IntegrityError):
        begin_report(make_writer(), key="k")
    assert not Job.objects.exists()


def test_a_key_belongs_to_one_tenant() -> None:
    first, second = begin_report(make_writer(), key="k"), begin_report(make_writer(), key="k")
    assert first.pk != second.pk


def test_a_key_belongs_to_one_person_of_a_tenant() -> None:
    actor = make_writer()
    colleague = make_actor(tenant=actor.tenant)
    write_entries(colleague, 1)
    first, second = begin_report(actor, key="k"), begin_report(colleague, key="k")
    assert first.pk != second.pk


def test_a_job_cancelled_before_it_runs_costs_nothing() -> None:
    actor = make_writer()
    job = begin_report(actor)
    cancel_job(actor=actor, job_id=job.pk, now=clock.now())
    work(job)
    assert (job.state, job.cost_micros) == (JobState.CANCELLED, 0)
    assert billing.get_balance(tenant=actor.tenant).held_micros == 0
    assert Report.objects.get(pk=job.subject_id).state == "cancelled"


def test_a_model_behind_http_writes_the_same_way() -> None:
    actor = make_writer()
    with model_server() as server:
        job = work(begin_report(actor))
        calls = server.journal.as_json()["calls"]
    assert job.state == JobState.SUCCEEDED
    assert isinstance(calls, list)
    assert len(calls) == 1
    event = UsageEvent.objects.get(tenant_id=actor.tenant, meter=Meter.LLM_TOKENS)
    assert (event.model, debits(actor)) == ("gpt-4o-mini", [-event.cost_micros])


def test_a_model_that_stays_away_fails_the_job_and_costs_nothing() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("status", status=401))
        job = begin_report(actor)
        work(job)
    assert (job.state, job.error_code) == (JobState.FAILED, "model_refused")
    assert (debits(actor), LossEntry.objects.count()) == ([], 0)
    assert Report.objects.get(pk=job.subject_id).state == "failed"


def test_an_unusable_answer_is_paid_and_asked_for_again() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed", times=1))
        job = work(begin_report(actor))
    assert job.state == JobState.SUCCEEDED
    assert len(debits(actor)) == 2
    assert sum(debits(actor)) == -job.cost_micros


def test_attempts_are_capped_however_often_the_model_fails() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed", times=None))
        job = work(begin_report(actor))
    assert (job.state, job.error_code) == (JobState.FAILED, "answer_malformed")
    assert job.runs.filter(step="write-1", state=RunState.FAILED).count() == 3


@pytest.mark.failure("M33")
def test_a_call_whose_usage_is_unknown_is_borne_by_the_house() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("no_usage"))
        job = work(begin_report(actor))
    assert (job.state, job.cost_micros, debits(actor)) == (JobState.SUCCEEDED, 0, [])
    assert LossEntry.objects.get(tenant_id=actor.tenant).reason == "usage_unknown"
    assert ReserveHold.objects.get(tenant_id=actor.tenant, meter=Meter.LLM_TOKENS).state == HoldState.EXPIRED


def test_a_failed_job_can_be_retried_and_keeps_what_had_succeeded() -> None:
    actor = make_writer(entries=70)
    with model_server() as server:
        job = begin_report(actor)
        server.knobs.add(fault("status", status=401))
        work(job)
        paid = debits(actor)
        retry_job(actor=actor, job_id=job.pk, now=clock.now())
        work(job)
    assert job.state == JobState.SUCCEEDED
    assert debits(actor)[: len(paid)] == paid
    assert Report.objects.get(pk=job.subject_id).state == "ready"


def test_a_job_whose_next_attempt_is_not_covered_waits_for_money() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed", times=1))
        job = begin_report(actor)
        set_policy(actor, "block")
        claw_back(actor)
        work(job)
    assert (job.state, job.error_code) == (JobState.BLOCKED, "insufficient_reserve")
    assert billing.get_balance(tenant=actor.tenant).held_micros == 0
    with pytest.raises(InsufficientReserve):
        retry_job(actor=actor, job_id=job.pk, now=clock.now())


def test_a_stranger_cannot_cancel_or_retry() -> None:
    job = begin_report(make_writer())
    stranger = make_actor()
    for service in (cancel_job, retry_job):
        with pytest.raises(JobNotFound):
            service(actor=stranger, job_id=job.pk, now=clock.now())


def test_the_run_of_a_finished_job_is_never_run_again() -> None:
    actor = make_writer()
    job = work(begin_report(actor))
    assert run_of(job).state == RunState.SUCCEEDED
    work(job)
    assert LLMCall.objects.count() == 1


def test_a_second_attempt_holds_only_what_is_left_of_what_was_promised() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed", times=1))
        job = work(begin_report(actor))
    holds = ReserveHold.objects.filter(tenant_id=actor.tenant, meter=Meter.LLM_TOKENS)
    first, second = holds.order_by("created_at")
    assert first.amount_micros == job.estimate_micros
    assert second.amount_micros == job.estimate_micros + debits(actor)[0]
    assert job.cost_micros <= job.estimate_micros


def test_a_job_never_costs_more_than_was_promised_the_house_bears_the_rest() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed", times=1))
        job = begin_report(actor)
        Job.objects.filter(pk=job.pk).update(estimate_micros=1)
        work(job)
    assert job.state == JobState.SUCCEEDED
    assert debits(actor) == [-job.cost_micros]
    assert LossEntry.objects.get(tenant_id=actor.tenant).reason == "above_hold"


def test_a_retry_that_the_person_asks_for_is_a_new_promise() -> None:
    actor = make_writer()
    with model_server() as server:
        server.knobs.add(fault("malformed", times=3))
        job = work(begin_report(actor))
        promised, paid = job.estimate_micros, job.cost_micros
        job = retry_job(actor=actor, job_id=job.pk, now=clock.now())
        assert job.estimate_micros == promised + paid
        work(job)
    assert job.state == JobState.SUCCEEDED
    assert paid < job.cost_micros <= job.estimate_micros
