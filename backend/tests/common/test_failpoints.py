"""Points where only a test's settings can make anything happen."""

import signal
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from apps.common.failpoints import FailpointReached, failpoint

SCRIPT = """
from django.conf import settings
settings.configure(FAILPOINTS={"here": "kill"})
from apps.common.failpoints import failpoint
failpoint("elsewhere")
failpoint("here")
"""


def test_nothing_happens_without_a_test_asking_for_it() -> None:
    assert django_settings.FAILPOINTS == {}
    failpoint("after_llm_response")


def test_a_failpoint_can_raise(settings: Settings) -> None:
    settings.FAILPOINTS = {"here": "raise"}
    failpoint("elsewhere")
    with pytest.raises(FailpointReached, match="here"):
        failpoint("here")


def test_a_failpoint_can_hang(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr("time.sleep", naps.append)
    settings.FAILPOINTS = {"here": "hang"}
    failpoint("here")
    assert naps == [3600]


def test_a_failpoint_can_kill_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], check=False)  # noqa: S603 - our own interpreter
    assert ended.returncode == -signal.SIGKILL
