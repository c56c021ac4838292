"""Settings of production: a refusal to start that names the variable, never its value."""

import os
import secrets
import subprocess
import sys
from typing import Final

import pytest

from tests.architecture.source import BACKEND

GOOD: Final = {
    "BACKEND_SECRET_KEY": secrets.token_urlsafe(48),
    "INTERNAL_API_SECRET": secrets.token_urlsafe(32),
    "DATABASE_URL": f"postgres://user:{secrets.token_urlsafe(24)}@db/afterresume",
    "REDIS_URL": f"redis://:{secrets.token_urlsafe(24)}@store/0",
    "ALLOWED_HOSTS": "api.example.org",
    "FRONTEND_BASE_URL": "https://app.example.org",
    "DEFAULT_FROM_EMAIL": "AfterResume <no-reply@example.org>",
    "EMAIL_URL": "smtp+tls://user:hunter2@mail.example.org",
}


def load(expression: str = "1", **changes: str) -> subprocess.CompletedProcess[str]:
    program = f"from config.settings import production as s; print(({expression}))"
    environment = {**GOOD, "PATH": os.environ["PATH"], **changes}
    return subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=BACKEND,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_complete_environment_is_accepted() -> None:
    done = load("s.DEBUG, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0, s.FAILPOINTS")
    assert done.stdout.strip() == "(False, True, True, True, {})", done.stderr


@pytest.mark.failure("D01")
@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_variable_is_named(name: str) -> None:
    done = load(**{name: ""})
    assert done.returncode != 0
    assert name in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BACKEND_SECRET_KEY", "too-short-a-secret"),
        ("BACKEND_SECRET_KEY", "ab" * 40),
        ("MFA_SEALING_KEYS", "hunter2"),
        ("DATABASE_URL", "sqlite:///hunter2.db"),
        ("ALLOWED_HOSTS", "*"),
        ("RESERVE_DEFAULT_POLICY", "hunter2"),
        ("RESERVE_DEFAULT_FLOOR_MICROS", "1"),
        ("RESERVE_DEFAULT_LOW_BALANCE_MICROS", "hunter2"),
        ("LLM_TOTAL_DEADLINE_SECONDS", "91"),
        ("HOLD_LEASE_SECONDS", "0"),
    ],
)
def test_a_weak_value_is_refused_without_being_shown(name: str, value: str) -> None:
    done = load(**{name: value})
    assert done.returncode != 0
    assert name in done.stderr
    assert len(value) < 5 or value not in done.stderr
