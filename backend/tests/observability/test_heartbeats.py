"""The dead man's handle: duties that fall silent are an alarm, whoever asks."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from apps.common import clock
from apps.observability import heartbeats
from apps.observability.heartbeats import Expectation, expect_heartbeats, list_late_duties, record_heartbeat
from apps.observability.models import Heartbeat
from apps.workers.beat_rows import install_schedule
from apps.workers.heartbeats import EXPECTATIONS, note_success
from apps.workers.schedule import SCHEDULE
from tests.admin_client import admin_session
from tests.api_client import anonymous
from tests.factories.accounts import make_actor

pytestmark = [pytest.mark.django_db, pytest.mark.failure("D19")]

START = datetime.fromisoformat("2026-03-01T12:00:00+00:00")
EACH_DAY = Expectation(title="Prove the ledger", allowed_seconds=26 * 3600)
EACH_MINUTE = Expectation(title="Sweep", allowed_seconds=60)


@pytest.fixture(autouse=True)
def _quiet_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeats, "_alarm", heartbeats._Alarm())


@pytest.fixture
def traveller() -> Iterator[Any]:
    with time_machine.travel(START, tick=False) as coordinates:
        yield coordinates


def watch(**expectations: Expectation) -> None:
    expect_heartbeats(expectations=expectations, now=START)


def later(**time: int) -> datetime:
    return START + timedelta(**time)


def test_a_new_duty_has_its_whole_time_from_the_start() -> None:
    watch(sweep=EACH_MINUTE)
    assert list_late_duties(now=later(seconds=60)) == []
    assert list_late_duties(now=later(seconds=61)) == ["sweep"]


def test_a_duty_that_was_done_is_in_time_again() -> None:
    watch(sweep=EACH_MINUTE, prove_ledger=EACH_DAY)
    record_heartbeat(name="sweep", now=later(hours=27))
    assert list_late_duties(now=later(hours=27)) == ["prove_ledger"]


def test_a_sign_that_comes_late_does_not_turn_back_the_clock() -> None:
    watch(sweep=EACH_MINUTE)
    record_heartbeat(name="sweep", now=later(seconds=50))
    record_heartbeat(name="sweep", now=later(seconds=10))
    assert Heartbeat.objects.get().at == later(seconds=50)


def test_a_place_where_nothing_was_ever_scheduled_says_so() -> None:
    assert list_late_duties(now=START) == [heartbeats.NOTHING_SCHEDULED]


def test_what_is_scheduled_no_longer_is_watched_no_longer() -> None:
    watch(sweep=EACH_MINUTE, old_duty=EACH_DAY)
    watch(sweep=EACH_MINUTE)
    assert [beat.name for beat in Heartbeat.objects.all()] == ["sweep"]


def test_another_start_does_not_make_a_late_duty_young() -> None:
    watch(sweep=EACH_MINUTE)
    expect_heartbeats(expectations={"sweep": EACH_MINUTE}, now=later(hours=1))
    assert list_late_duties(now=later(hours=1)) == ["sweep"]


def test_the_alarm_is_an_error_once_and_again_when_it_changes(caplog: pytest.LogCaptureFixture) -> None:
    watch(sweep=EACH_MINUTE, prove_ledger=EACH_DAY)
    for _ in range(5):
        list_late_duties(now=later(seconds=61))
    list_late_duties(now=later(hours=27))
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 2
    assert "prove_ledger" in errors[1]


def test_every_duty_of_the_schedule_is_watched() -> None:
    install_schedule(now=START)
    assert {beat.name for beat in Heartbeat.objects.all()} == {duty.task for duty in SCHEDULE}
    assert all(beat.allowed_seconds >= 180 for beat in Heartbeat.objects.all())


class Task:
    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize("result", [None, 0, 7, True])
def test_the_success_of_a_duty_is_its_sign(result: object, traveller: Any) -> None:
    install_schedule(now=START)
    traveller.shift(3600)
    note_success(sender=Task("sweep"), result=result)
    assert Heartbeat.objects.get(name="sweep").at == later(hours=1)


def test_a_period_that_another_worker_has_taken_is_no_sign(traveller: Any) -> None:
    install_schedule(now=START)
    traveller.shift(3600)
    note_success(sender=Task("prove_ledger"), result=False)
    assert Heartbeat.objects.get(name="prove_ledger").at == START


def test_other_tasks_leave_no_sign(django_assert_num_queries: Any) -> None:
    assert "run_step" not in EXPECTATIONS
    with django_assert_num_queries(0):
        note_success(sender=Task("run_step"), result=True)


def test_the_open_address_names_late_duties_and_nothing_more(traveller: Any) -> None:
    install_schedule(now=clock.now())
    in_time = anonymous().get("/api/dutyz/")
    assert (in_time.status_code, in_time.json()) == (200, {"status": "ok", "late": []})
    traveller.shift(300)
    late = anonymous().get("/api/dutyz/")
    assert late.status_code == 503
    frequent = ["check_reserves", "look_at_payments", "look_at_refunds", "send_mails", "sweep", "work_stripe_events"]
    assert late.json() == {"status": "late", "late": frequent}


def test_the_command_fails_for_monitoring() -> None:
    install_schedule(now=clock.now())
    call_command("check_duties")
    Heartbeat.objects.filter(name="prove_ledger").update(at=START - timedelta(days=365))
    with pytest.raises(CommandError, match=r"Overdue: .*prove_ledger"):
        call_command("check_duties")


def test_staff_see_what_is_late_on_the_first_page_and_in_the_list() -> None:
    boss = admin_session(make_actor(is_staff=True, is_superuser=True))
    install_schedule(now=clock.now())
    assert b"Periodic duties are overdue" not in boss.get("/admin/").content
    Heartbeat.objects.filter(name="prove_ledger").update(at=START - timedelta(days=365))
    assert "Periodic duties are overdue: prove_ledger." in boss.get("/admin/").content.decode()
    assert "Prove the ledger" in boss.get("/admin/observability/heartbeat/").content.decode()
