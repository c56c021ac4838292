"""The worker's edge: each task reads the clock and calls one service."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
from celery import current_app
from django.conf import settings
from pytest_django import DjangoCaptureOnCommitCallbacks

from apps.accounts.models import ApiToken
from apps.accounts.services.tokens import issue_token
from apps.billing.models import LedgerProof
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.orchestration import dispatch
from apps.orchestration.models import ScheduledPeriod
from apps.orchestration.services.scheduling import run_once_per_period
from apps.workers.schedule import SCHEDULE
from apps.workers.sender import send_step
from apps.workers.tasks import run_ledger_proof, run_purge, run_step, run_sweep
from tests.factories.accounts import make_actor
from tests.factories.orchestration import begin_report, make_writer, run_of

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture
def queue() -> Iterator[redis.Redis]:
    """The broker's queue, empty before and after."""
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    yield broker
    broker.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    broker.close()


def test_a_hint_names_the_row_and_nothing_else(queue: redis.Redis) -> None:
    tenant, run_id = TenantId(uuid7()), uuid7()
    send_step(tenant, run_id)
    messages = queue.lrange(settings.CELERY_TASK_DEFAULT_QUEUE, 0, -1)
    assert isinstance(messages, list)
    message = json.loads(messages[0])
    assert message["headers"]["task"] == "run_step"
    assert json.loads(message["headers"]["argsrepr"].replace("'", '"')) == [str(tenant), str(run_id)]


@pytest.mark.django_db
def test_asking_for_a_report_puts_its_first_step_into_the_queue(
    queue: redis.Redis, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    dispatch.plug_sender(send_step)
    with django_capture_on_commit_callbacks(execute=True):
        begin_report(make_writer(entries=1))
    assert queue.llen(settings.CELERY_TASK_DEFAULT_QUEUE) == 1


@pytest.mark.django_db
def test_the_task_runs_its_step_once() -> None:
    run = run_of(begin_report(make_writer(entries=1)))
    assert run_step(str(run.tenant_id), str(run.pk)) is True
    assert run_step(str(run.tenant_id), str(run.pk)) is False


@pytest.mark.django_db
def test_the_sweep_has_nothing_to_mend_in_a_quiet_house() -> None:
    assert run_sweep() == 0


@pytest.mark.django_db
def test_the_ledger_is_proven_once_a_day() -> None:
    assert run_ledger_proof() is True
    assert run_ledger_proof() is False
    assert LedgerProof.objects.count() == 1


@pytest.mark.django_db
def test_a_duty_that_fails_gives_its_period_back() -> None:
    def fail() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        run_once_per_period(name="duty", period="2026-11-23", duty=fail, clock=lambda: NOW)
    assert run_once_per_period(name="duty", period="2026-11-23", duty=lambda: None, clock=lambda: NOW)


@pytest.mark.django_db
def test_a_duty_says_when_it_began_and_when_it_ended() -> None:
    ticks = iter([NOW, NOW + timedelta(minutes=2)])
    run_once_per_period(name="duty", period="2026-11-23", duty=lambda: None, clock=lambda: next(ticks))
    row = ScheduledPeriod.objects.get()
    assert (row.started_at, row.finished_at) == (NOW, NOW + timedelta(minutes=2))


@pytest.mark.django_db
def test_a_duty_whose_worker_died_is_taken_up_again_after_a_while() -> None:
    ScheduledPeriod.objects.create(name="duty", period="2026-11-23", started_at=NOW)
    soon, later = NOW + timedelta(minutes=1), NOW + timedelta(minutes=11)
    assert not run_once_per_period(name="duty", period="2026-11-23", duty=lambda: None, clock=lambda: soon)
    assert run_once_per_period(name="duty", period="2026-11-23", duty=lambda: None, clock=lambda: later)


@pytest.mark.django_db
def test_what_has_expired_is_deleted() -> None:
    actor, long_ago = make_actor(), clock.now() - timedelta(days=60)
    issue_token(user_id=actor.user_id, name="API", now=long_ago)
    issue_token(user_id=actor.user_id, name="API", now=clock.now())
    assert run_purge() == 1
    assert ApiToken.objects.count() == 1


def test_every_scheduled_task_exists() -> None:
    current_app.loader.import_default_modules()
    assert {duty.task for duty in SCHEDULE} <= set(current_app.tasks)


def test_every_duty_has_one_rhythm() -> None:
    assert all((duty.every_seconds is None) != (duty.daily_at_hour is None) for duty in SCHEDULE)
