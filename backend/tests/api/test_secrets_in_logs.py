"""Whoever reads the log learns no secret: not from requests, not from refusals, not from crashes."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from apps.common import clock
from apps.invitations.services import create_passkey
from tests.api_client import Client, anonymous
from tests.factories.accounts import PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.failure("D12")]

NEW_PASSWORD = "another correct horse battery"
WRONG = "not-the-right-password"


def post(client: Client, path: str, **body: Any) -> Any:
    return client.post(path, body)


def come_in(passkey: str) -> str:
    """Sign-up with a key, sign-in by mistake and rightly; returns the token."""
    stranger = anonymous()
    person = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "passkey": passkey}
    assert post(stranger, "/api/auth/signup/", **person).status_code == 201
    post(stranger, "/api/auth/signup/", **person)
    post(stranger, "/api/auth/token/", username="ada", password=WRONG)
    return str(post(stranger, "/api/auth/token/", username="ada", password=PASSWORD).json()["token"])


def signed_in(token: str) -> Client:
    client = anonymous()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def make_token(client: Client) -> str:
    terms = {"name": "script", "scopes": ["read"], "expires_in_days": 30}
    return str(post(client, "/api/auth/tokens/", **terms).json()["token"])


def begin_second_factor(client: Client) -> str:
    return str(post(client, "/api/auth/second-factor/totp/").json()["secret"])


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Any:
    """Everything that was logged, tracebacks included."""
    caplog.set_level("DEBUG")
    # The ORM's own log of statements is off in every environment; here it would hold what the tables hold.
    for name in ("django.db.backends", "django.db.backends.schema"):
        caplog.set_level("WARNING", logger=name)
    return lambda: caplog.text + json.dumps([str(record.__dict__) for record in caplog.records])


def test_coming_in_and_setting_up_leaves_no_secret_in_the_log(log: Any) -> None:
    _, passkey = create_passkey(actor=None, now=clock.now())
    token = come_in(passkey)
    client = signed_in(token)
    personal, seed = make_token(client), begin_second_factor(client)
    post(client, "/api/auth/password/change/", current_password=WRONG, new_password=NEW_PASSWORD)
    post(client, "/api/auth/password/change/", current_password=PASSWORD, new_password=NEW_PASSWORD)
    post(anonymous(), "/api/auth/password/reset/", email="ada@example.org")
    post(anonymous(), "/api/auth/password/reset/confirm/", uid="x", token="made-up-reset-token", password=NEW_PASSWORD)
    signed_in("ar_a-token-that-was-never-one").get("/api/me/")
    text = log()
    assert "/api/auth/token/" in text
    secrets = [PASSWORD, NEW_PASSWORD, WRONG, passkey, token, personal, seed, "made-up-reset-token", "never-one"]
    assert [secret for secret in secrets if secret in text] == []


def test_a_crash_shows_no_secret_in_its_traceback(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(**_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("apps.tenants.services.sign_in", crash)
    stranger = anonymous()
    stranger.raise_request_exception = False
    answer = post(stranger, "/api/auth/token/", username="ada", password=PASSWORD)
    assert answer.status_code == 500
    text = log()
    assert "ZeroDivisionError" in text
    assert PASSWORD not in text + answer.content.decode()


def test_a_part_that_is_away_is_logged_without_its_password(log: Any) -> None:
    broker = "redis://:only-for-tests-broker-password@127.0.0.1:1/0"
    with override_settings(CELERY_BROKER_URL=broker, REDIS_URL=broker):
        answer = anonymous().get("/api/readyz/")
        post(anonymous(), "/api/auth/token/", username="ada", password=PASSWORD)
    text = answer.content.decode() + log()
    assert "probe_failed" in text
    assert "rate_limits_unavailable" in text
    assert "only-for-tests-broker-password" not in text
    assert settings.SECRET_KEY not in text
