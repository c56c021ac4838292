"""Parts of the running product go away: limits, probes and the dead man's handle say and do what they should."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import psycopg
import pytest

from devstack import programs
from devstack.stack import Stack
from tests.api_journey import PASSWORD, Traveller

PATIENCE_S = 60.0
# Seconds for which the duties of a few seconds may be undone here.
ALLOWED_S = 15
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """One proxy of ours in front of the pages, and two wrong passwords an address."""
    env = {"TRUSTED_PROXY_COUNT": "1", "RATE_LIMITS": "login_address=2/900"}
    with Stack(env=env, wanted=[name for name in programs.ALL if name not in programs.STANDINS]) as stack:
        yield stack


@pytest.fixture
def person(stack: Stack) -> Iterator[tuple[str, Traveller]]:
    name, traveller = f"person{time.monotonic_ns()}", Traveller(stack.urls.backend)
    traveller.sign_up(name=name, passkey=stack.create_passkey())
    yield name, traveller
    traveller.close()


def until(question: Callable[[], Any], answer: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (seen := question()) != answer:
        assert time.monotonic() < deadline, f"{seen} is not {answer}"
        time.sleep(0.3)


def get(stack: Stack, path: str) -> httpx.Response:
    return httpx.get(f"{stack.urls.backend}{path}", timeout=15, trust_env=False)


def try_password(stack: Stack, name: str, password: str, *, address: str) -> bool:
    """One sign-in through the pages by somebody at this address, as the proxy in front passes it on."""
    headers = {"X-Forwarded-For": f"198.51.100.99, {address}", "User-Agent": f"Browser of {address}"}
    with httpx.Client(base_url=stack.urls.frontend, headers=headers, timeout=15, trust_env=False) as browser:
        found = CSRF.search(browser.get("/accounts/login/").text)
        assert found is not None
        form = {"login": name, "password": password, "csrfmiddlewaretoken": found[1]}
        return browser.post("/accounts/login/", data=form).status_code == httpx.codes.FOUND


@pytest.mark.failure("A04", "A03", "A02")
def test_people_behind_one_frontend_have_their_own_addresses(stack: Stack, person: tuple[str, Traveller]) -> None:
    name, _ = person
    for number in range(1, 5):
        address = f"203.0.113.{number}"
        assert [try_password(stack, f"stranger{number}", "wrong password", address=address) for _ in "ab"] == [
            False
        ] * 2
        other = f"203.0.113.{100 + number}"
        assert try_password(stack, name, PASSWORD, address=other)
    assert not try_password(stack, name, PASSWORD, address="203.0.113.1")
    with psycopg.connect(stack.env["DATABASE_URL"]) as connection:
        rows = connection.execute(
            "SELECT host(t.address), t.user_agent FROM accounts_apitoken t JOIN accounts_user u ON u.id = t.user_id"
            " WHERE u.username = %s",
            [name],
        ).fetchall()
    assert ("203.0.113.101", "Browser of 203.0.113.101") in rows


@pytest.mark.failure("D19")
def test_a_stopped_beat_is_noticed_and_the_pages_go_on(stack: Stack) -> None:
    with psycopg.connect(stack.env["DATABASE_URL"]) as connection:
        connection.execute(
            "UPDATE observability_heartbeat SET allowed_seconds = %s WHERE name IN ('sweep', 'send_mails')", [ALLOWED_S]
        )
    until(lambda: get(stack, "/api/dutyz/").status_code, 200)
    stack.stop_program("beat")
    try:
        until(lambda: get(stack, "/api/dutyz/").json(), {"status": "late", "late": ["send_mails", "sweep"]})
        assert get(stack, "/api/dutyz/").status_code == 503
        assert get(stack, "/api/readyz/").status_code == 200
        assert '"event": "duties_late"' in stack.logs("backend")
    finally:
        stack.start_program("beat")
    until(lambda: get(stack, "/api/dutyz/").status_code, 200)


@pytest.mark.failure("A06")
def test_without_valkey_nobody_guesses_and_those_inside_read_on(stack: Stack, person: tuple[str, Traveller]) -> None:
    name, inside = person
    stack.stop_program("valkey")
    try:
        credentials = {"username": name, "password": PASSWORD}
        answer = httpx.post(f"{stack.urls.backend}/api/auth/token/", json=credentials, timeout=15, trust_env=False)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        started = time.monotonic()
        inside.call("GET", "/api/worklogs/", expect=200)
        assert time.monotonic() - started < 5
    finally:
        stack.start_program("valkey")
    until(lambda: get(stack, "/api/readyz/").status_code, 200)
    until(lambda: try_password(stack, name, PASSWORD, address="203.0.113.200"), True)


@pytest.mark.failure("D13")
def test_without_its_database_the_backend_lives_but_is_not_ready(stack: Stack) -> None:
    stack.stop_program("postgres")
    try:
        alive, ready = get(stack, "/api/healthz/"), get(stack, "/api/readyz/")
        assert alive.status_code == 200
        assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
        assert ready.json()["checks"]["database"] != "ok"
        assert ready.json()["checks"]["cache"] == "ok"
        assert get(stack, "/api/dutyz/").status_code == 503
    finally:
        stack.start_program("postgres")
    until(lambda: get(stack, "/api/readyz/").status_code, 200)
