"""`manage.py bootstrap` and the schedule that it writes."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django_celery_beat.models import PeriodicTask

from apps.accounts.models import User
from apps.common import clock
from apps.workers.beat_rows import install_schedule
from apps.workers.schedule import SCHEDULE

pytestmark = pytest.mark.django_db


def bootstrap(path: Path) -> str:
    out = StringIO()
    call_command("bootstrap", admin_password_file=path, stdout=out)
    return out.getvalue()


def test_a_fresh_database_gets_an_admin_rate_cards_and_a_schedule(tmp_path: Path) -> None:
    text = bootstrap(tmp_path / "password")
    assert User.objects.get().username == "admin"
    assert PeriodicTask.objects.filter(name__in=[duty.name for duty in SCHEDULE]).count() == len(SCHEDULE)
    assert "Made admin with a generated password" in text
    assert "4 example rate cards" in text
    assert (tmp_path / "password").read_text().strip() not in text


def test_a_second_run_changes_nothing_and_says_so(tmp_path: Path) -> None:
    bootstrap(tmp_path / "password")
    assert bootstrap(tmp_path / "password") == "Everything was there already: nothing changed\n"


def test_a_password_of_ones_own_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a password of my own")
    assert "Made admin with the password in" in bootstrap(tmp_path / "password")


def test_a_weak_password_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("short")
    with pytest.raises(CommandError, match="too short"):
        bootstrap(tmp_path / "password")
    assert not PeriodicTask.objects.exists()


def test_every_duty_runs_at_its_time() -> None:
    install_schedule(now=clock.now())
    for duty in SCHEDULE:
        row = PeriodicTask.objects.get(name=duty.name)
        assert (row.task, row.expire_seconds) == (duty.task, duty.expires_seconds)
        if duty.every_seconds is None:
            assert (row.crontab.hour, row.crontab.minute) == (str(duty.daily_at_hour), "0")
        else:
            assert (row.interval.every, row.interval.period) == (duty.every_seconds, "seconds")


def test_a_row_that_differs_is_put_right_and_a_switch_is_left_alone() -> None:
    install_schedule(now=clock.now())
    PeriodicTask.objects.filter(name=SCHEDULE[0].name).update(task="else", enabled=False)
    assert install_schedule(now=clock.now()) == 1
    row = PeriodicTask.objects.get(name=SCHEDULE[0].name)
    assert (row.task, row.enabled) == (SCHEDULE[0].task, False)


def test_rows_of_others_stay() -> None:
    install_schedule(now=clock.now())
    PeriodicTask.objects.create(
        name="by hand", task="x", interval=PeriodicTask.objects.exclude(interval=None)[0].interval
    )
    assert install_schedule(now=clock.now()) == 0
    assert PeriodicTask.objects.filter(name="by hand").exists()
