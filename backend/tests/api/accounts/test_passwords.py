"""Passwords over HTTP: changed with the old one, set anew by mail, shown again for dangerous acts."""

import statistics
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as DjangoClient
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.accounts.services import passwords
from apps.accounts.services.users import set_active
from apps.accounts.types import TokenKind
from apps.common import clock
from apps.common.limits import PASSWORD_RESET_EMAIL
from apps.common.rate_limits import Limit
from tests.accounts.mailbox import list_kinds, read_reset_link
from tests.api_client import anonymous, client_for
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.mfa import make_protected

pytestmark = pytest.mark.django_db

NEW = "another fine long sentence"
CHANGE = {"current_password": PASSWORD, "new_password": NEW}
LONG_AGO = timedelta(hours=1)


def ask_for_reset(email: str) -> Any:
    return anonymous().post("/api/auth/password/reset/", {"email": email})


@pytest.mark.failure("A08")
def test_after_a_change_the_other_sessions_are_out_and_this_one_is_not() -> None:
    actor = make_actor()
    here, there = client_for(actor), client_for(actor)
    script = client_for(actor, kind=TokenKind.PERSONAL)
    assert here.post("/api/auth/password/change/", CHANGE).status_code == 204
    assert [client.get("/api/me/").status_code for client in (here, there, script)] == [200, 401, 401]


@pytest.mark.failure("A08")
def test_a_change_in_the_session_of_the_admin_ends_the_other_one() -> None:
    make_actor(username="ada")
    here, there = DjangoClient(), DjangoClient()
    for client in (here, there):
        client.post("/api/auth/login/", {"username": "ada", "password": PASSWORD}, content_type="application/json")
    assert here.post("/api/auth/password/change/", CHANGE, content_type="application/json").status_code == 204
    assert [client.get("/api/me/").status_code for client in (here, there)] == [200, 401]


def test_a_wrong_password_is_named_by_its_field() -> None:
    response = client_for(make_actor()).post("/api/auth/password/change/", {**CHANGE, "current_password": "wrong"})
    assert response.status_code == 400
    assert (response.json()["code"], list(response.json()["fields"])) == ("bad_credentials", ["current_password"])


def test_a_weak_password_is_refused_with_its_reasons() -> None:
    response = client_for(make_actor()).post("/api/auth/password/change/", {**CHANGE, "new_password": "password"})
    assert (response.status_code, list(response.json()["fields"])) == (400, ["new_password"])


@pytest.mark.failure("A01")
def test_nobody_learns_by_a_reset_whether_an_address_has_an_account() -> None:
    make_actor(email="ada@example.org")
    closed = make_actor(email="closed@example.org")
    set_active(actor=closed.user_id, user_id=closed.user_id, is_active=False, reason="", now=clock.now())
    answers = []
    for email in ("ada@example.org", "nobody@example.org", "closed@example.org", "no address at all"):
        response = ask_for_reset(email)
        headers = {name: value for name, value in response.items() if name != "X-Request-ID"}
        answers.append((response.status_code, response.content, headers))
    assert answers[0][0] == 202
    assert answers == answers[:1] * 4
    assert list_kinds() == ["password_reset"]


def shape_of_reset(email: str) -> list[str]:
    """What the database was asked, without the values."""
    with CaptureQueriesContext(
        connection,
    ) as queries:
        ask_for_reset(email)
    return [" ".join(query["sql"].split()[:3]) for query in queries.captured_queries]


@pytest.mark.failure("A01")
def test_an_unknown_address_costs_the_same_queries_as_a_known_one() -> None:
    make_actor(email="ada@example.org")
    known = shape_of_reset("ada@example.org")
    assert known == shape_of_reset("nobody@example.org")
    assert len(known) == 2


@pytest.mark.failure("A01")
def test_an_unknown_address_takes_the_same_time_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    make_actor(email="ada@example.org")
    many = Limit(PASSWORD_RESET_EMAIL.name, 10_000, 60, fail_closed=True)
    monkeypatch.setattr(passwords, "PASSWORD_RESET_EMAIL", many)
    times: dict[str, list[float]] = {"ada@example.org": [], "nobody@example.org": []}
    for _ in range(100):
        for email, taken in times.items():
            began = time.perf_counter()
            passwords.request_reset(email=email, now=clock.now())
            taken.append(time.perf_counter() - began)
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert max(known, unknown) < 1.4 * min(known, unknown)


@pytest.mark.failure("A08", "A22")
def test_a_reset_by_mail_lets_in_with_the_new_password_alone() -> None:
    actor = make_actor(username="ada", email="ada@example.org")
    client = client_for(actor)
    ask_for_reset("ada@example.org")
    link = read_reset_link()
    body = {**link, "password": NEW}
    assert anonymous().post("/api/auth/password/reset/confirm/", body).status_code == 204
    assert client.get("/api/me/").status_code == 401
    answers = [
        anonymous().post("/api/auth/token/", {"username": "ada", "password": password}).status_code
        for password in (PASSWORD, NEW)
    ]
    assert answers == [400, 200]
    again = anonymous().post("/api/auth/password/reset/confirm/", body)
    assert (again.status_code, again.json()["code"]) == (400, "reset_link_invalid")


def test_a_password_that_was_reset_still_asks_for_the_second_factor() -> None:
    make_protected(username="ada")
    ask_for_reset("ada@example.org")
    anonymous().post("/api/auth/password/reset/confirm/", {**read_reset_link(), "password": NEW})
    answer = anonymous().post("/api/auth/token/", {"username": "ada", "password": NEW})
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")


@pytest.mark.failure("A22")
def test_the_host_of_the_request_does_not_get_into_the_link() -> None:
    make_actor(email="ada@example.org")
    response = anonymous().post(
        "/api/auth/password/reset/", {"email": "ada@example.org"}, headers={"Host": "evil.example"}
    )
    assert response.status_code == 400
    assert list_kinds() == []


def test_a_session_proves_anew_who_is_there() -> None:
    actor = make_actor()
    client = client_for(actor, authenticated_at=clock.now() - LONG_AGO)
    wish = {"email": "new@example.org"}
    refused = client.post("/api/auth/email/change/", wish)
    assert (refused.status_code, refused.json()["code"]) == (403, "reauthentication_required")
    proved = client.post("/api/auth/reauthenticate/", {"password": PASSWORD})
    assert proved.status_code == 200
    assert proved.json()["until"] > clock.now().isoformat()
    assert client.post("/api/auth/email/change/", wish).status_code == 202


def test_a_wrong_password_proves_nothing() -> None:
    client = client_for(make_actor(), authenticated_at=clock.now() - LONG_AGO)
    refused = client.post("/api/auth/reauthenticate/", {"password": "wrong"})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_credentials")
    assert client.post("/api/auth/email/change/", {"email": "new@example.org"}).status_code == 403


def test_the_session_of_the_admin_proves_anew_who_is_there() -> None:
    make_actor(username="ada")
    client = DjangoClient()
    client.post("/api/auth/login/", {"username": "ada", "password": PASSWORD}, content_type="application/json")
    session = client.session
    session["ar_authenticated_at"] = (clock.now() - LONG_AGO).isoformat()
    session.save()
    wish = {"email": "new@example.org"}
    assert client.post("/api/auth/email/change/", wish, content_type="application/json").status_code == 403
    client.post("/api/auth/reauthenticate/", {"password": PASSWORD}, content_type="application/json")
    assert client.post("/api/auth/email/change/", wish, content_type="application/json").status_code == 202


@pytest.mark.failure("T03")
def test_a_change_of_password_changes_nothing_else() -> None:
    actor = make_actor()
    more = {"user": "x", "is_staff": True, "except_public_id": "x", "email": "eve@example.org"}
    assert client_for(actor).post("/api/auth/password/change/", {**CHANGE, **more}).status_code == 204
    user = User.objects.get()
    assert (user.is_staff, user.email) == (False, f"{actor.username}@example.org")
