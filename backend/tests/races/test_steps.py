"""Copies of a task, two sweepers, a cancel against a worker: on real threads and real PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from apps.billing import selectors as billing
from apps.billing.models import LossEntry, UsageEvent
from apps.common import clock
from apps.common.tenancy import TenantId
from apps.llm.models import LLMCall
from apps.orchestration.models import Job
from apps.orchestration.services.calls import claim_call
from apps.orchestration.services.jobs import cancel_job
from apps.orchestration.services.steps import claim_run, execute_run
from apps.orchestration.services.sweeping import sweep
from apps.tenants.types import Actor
from tests.factories.orchestration import begin_report, call_of, make_writer, run_of, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """Runs the tasks behind one barrier, each with its own connection; results or the exceptions they ended with."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=10)
            return task()
        except Exception as error:  # noqa: BLE001 - the test looks at what came out
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


@pytest.fixture
def actor() -> Actor:
    return make_writer(entries=2)


@pytest.fixture
def job(actor: Actor) -> Job:
    return begin_report(actor)


def test_eight_copies_of_a_task_make_one_call(job: Job) -> None:
    run = run_of(job)
    tenant = TenantId(run.tenant_id)
    results = at_once(*[lambda: execute_run(tenant=tenant, run_id=run.pk, clock=clock.now)] * 8)
    assert sorted(map(str, results)) == ["False"] * 7 + ["True"]
    assert (LLMCall.objects.count(), UsageEvent.objects.count()) == (1, 1)


@pytest.mark.failure("M39")
def test_two_sweepers_book_one_loss_and_start_one_attempt(job: Job) -> None:
    run = run_of(job)
    tenant = TenantId(run.tenant_id)
    claim_run(tenant=tenant, run_id=run.pk, now=clock.now())
    claim_call(tenant=tenant, call_id=call_of(run), now=clock.now())
    later = clock.now() + timedelta(minutes=10)
    results = at_once(*[lambda: sweep(now=later)] * 4)
    assert not [result for result in results if isinstance(result, Exception)]
    assert (LossEntry.objects.count(), job.runs.filter(step="write-1").count()) == (1, 2)


def test_a_cancel_against_a_worker_ends_in_one_state_with_the_money_straight(job: Job, actor: Actor) -> None:
    run = run_of(job)
    tenant = TenantId(run.tenant_id)
    at_once(
        lambda: execute_run(tenant=tenant, run_id=run.pk, clock=clock.now),
        lambda: cancel_job(actor=actor, job_id=job.pk, now=clock.now()),
    )
    work(job)
    balance = billing.get_balance(tenant=tenant)
    assert job.state == "cancelled"
    assert (balance.held_micros, balance.balance_micros) == (0, 5_000_000 - job.cost_micros)


@pytest.mark.failure("M35")
def test_the_same_key_at_the_same_moment_starts_one_job() -> None:
    actor = make_writer(entries=1)
    results = at_once(*[lambda: begin_report(actor, key="k")] * 4)
    assert {result.pk for result in results} == {Job.objects.get().pk}
    assert billing.get_balance(tenant=actor.tenant).held_micros == Job.objects.get().estimate_micros
