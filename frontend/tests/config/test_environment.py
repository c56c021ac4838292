import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from config import environment
from config.strictness import check_session_engine

URL = "FRONTEND_DATABASE_URL"


def test_a_missing_value_fails_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    with pytest.raises(ImproperlyConfigured, match=r"REDIS_URL is not set\. Like this\."):
        environment.read_required("REDIS_URL", hint="Like this.")


def test_a_short_secret_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTEND_SECRET_KEY", "hunter2")
    with pytest.raises(ImproperlyConfigured) as caught:
        environment.read_secret("FRONTEND_SECRET_KEY")
    assert "hunter2" not in str(caught.value)


def test_an_address_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_BASE_URL", "http://127.0.0.1:8000/")
    assert environment.read_base_url("BACKEND_BASE_URL", hint="") == "http://127.0.0.1:8000"


def test_an_address_needs_its_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_BASE_URL", "127.0.0.1:8000")
    with pytest.raises(ImproperlyConfigured, match="http://"):
        environment.read_base_url("BACKEND_BASE_URL", hint="")


def test_only_postgresql_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, "sqlite:///x.sqlite3")
    with pytest.raises(ImproperlyConfigured, match="postgresql"):
        environment.read_database(URL)


def test_a_database_is_read_from_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL, "postgresql://ada:s3cret@127.0.0.1:5433/front")
    found = environment.read_database(URL)
    assert (found["NAME"], found["USER"], found["PORT"]) == ("front", "ada", 5433)


@pytest.mark.failure("D01", "A17")
@pytest.mark.parametrize("engine", ["signed_cookies", "cache", "file"])
def test_sessions_that_leave_the_server_or_vanish_are_refused(engine: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="SESSION_ENGINE"):
        check_session_engine(f"django.contrib.sessions.backends.{engine}")


@pytest.mark.failure("A17")
def test_sessions_lie_in_the_database(settings: Settings) -> None:
    check_session_engine(settings.SESSION_ENGINE)


def test_payment_pages_are_the_provider_s_unless_others_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENT_ORIGINS", " ")
    assert environment.read_origins("PAYMENT_ORIGINS", default=("https://pay.example",)) == ["https://pay.example"]
    monkeypatch.setenv("PAYMENT_ORIGINS", "http://127.0.0.1:8102 https://pay.example")
    named = environment.read_origins("PAYMENT_ORIGINS", default=())
    assert named == ["http://127.0.0.1:8102", "https://pay.example"]


@pytest.mark.parametrize(
    "origin", ["*", "https://pay.example/", "pay.example", "https:", "https://a.example;script-src"]
)
def test_what_is_no_origin_never_reaches_the_page_policy(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("PAYMENT_ORIGINS", origin)
    with pytest.raises(ImproperlyConfigured, match="PAYMENT_ORIGINS must be origins"):
        environment.read_origins("PAYMENT_ORIGINS", default=())
