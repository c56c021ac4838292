"""Settings of production: a refusal to start that names the variable, never its value."""

import os
import secrets
import subprocess
import sys
from typing import Final

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from config.environment import read_limits
from config.payments import check_no_live_keys
from config.strictness import check_secret, check_session_engine, check_url_password
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


@pytest.mark.failure("D01")
@pytest.mark.parametrize("engine", ["signed_cookies", "cache", "file"])
def test_sessions_that_cannot_be_ended_on_the_server_are_refused(engine: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SESSION_ENGINE"):
        check_session_engine(f"django.contrib.sessions.backends.{engine}")


@pytest.mark.failure("D01")
def test_generated_secrets_are_never_taken_for_weak_ones() -> None:
    for _ in range(500):
        check_secret("BACKEND_SECRET_KEY", secrets.token_urlsafe(48), minimum=50)
        check_secret("INTERNAL_API_SECRET", secrets.token_hex(16), minimum=32)
        check_url_password("REDIS_URL", f"redis://:{secrets.token_hex(12)}@store/0")


def test_a_socket_needs_no_password() -> None:
    check_url_password("DATABASE_URL", "postgres:///afterresume?host=/run/postgresql")
    check_url_password("REDIS_URL", "unix:///run/valkey.sock")


@pytest.mark.failure("D04")
def test_a_live_key_of_payments_is_refused_outside_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_" + "x" * 24)
    check_no_live_keys()
    monkeypatch.setenv("STRIPE_SECRET_KEY", "rk_live_" + "x" * 24)
    with pytest.raises(ImproperlyConfigured, match="STRIPE_SECRET_KEY"):
        check_no_live_keys()


@pytest.mark.parametrize("text", ["login_account", "login_account=0/900", "login_account=10", "Login=1/2", "a=1/0"])
def test_a_limit_that_makes_no_sense_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMITS", text)
    with pytest.raises(ImproperlyConfigured, match="RATE_LIMITS"):
        read_limits("RATE_LIMITS")


def test_limits_are_read_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATE_LIMITS", " login_account=5/60, api_token=10/1 ,")
    assert read_limits("RATE_LIMITS") == {"login_account": (5, 60), "api_token": (10, 1)}


def test_a_limit_that_does_not_exist_stops_the_start(settings: Settings) -> None:
    settings.RATE_LIMITS = {"login_acount": (5, 60)}
    with pytest.raises(ImproperlyConfigured, match="login_acount"):
        apps.get_app_config("common").ready()
