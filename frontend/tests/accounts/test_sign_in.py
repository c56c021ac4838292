from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from apps.accounts import services
from apps.accounts.models import User
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

pytestmark = pytest.mark.django_db
GOOD = {"login": "ada", "password": "correct horse"}


@pytest.mark.parametrize("login", ["ada", "ada@example.com"])
def test_name_or_email_and_password_open_the_door(login: str, client: Client, fake_backend: FakeBackend) -> None:
    response = client.post("/accounts/login/", GOOD | {"login": login})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert client.session["backend_token"] in fake_backend.tokens


def test_the_password_goes_to_the_backend_and_stays_nowhere(client: Client, fake_backend: FakeBackend) -> None:
    client.post("/accounts/login/", GOOD)
    user = User.objects.get()
    assert (user.has_usable_password(), str(user.pk)) == (False, fake_backend.users["ada"]["id"])
    assert "correct horse" not in str(dict(client.session))


def test_the_local_user_is_a_mirror(client: Client, fake_backend: FakeBackend) -> None:
    client.post("/accounts/login/", GOOD)
    fake_backend.users["ada"] |= {"is_staff": True, "email": "new@example.com"}
    Client().post("/accounts/login/", GOOD)
    user = User.objects.get()
    assert (user.is_backend_staff, user.email, user.time_zone) == (True, "new@example.com", "Europe/Berlin")
    assert (user.shown_name, user.initials, str(user)) == ("Ada", "A", "ada")


def test_the_session_gets_a_new_key_and_ends_with_the_token(client: Client, fake_backend: FakeBackend) -> None:
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": "ada", "password": "wrong"})
    before = client.session.session_key
    client.post("/accounts/login/", GOOD)
    assert client.session.session_key != before
    ends = client.session.get_expiry_date()
    assert abs(ends - datetime.now(UTC) - timedelta(days=14)) < timedelta(minutes=1)


def test_a_wrong_password_keeps_the_name_and_says_why(client: Client, fake_backend: FakeBackend) -> None:
    page = client.post("/accounts/login/", {"login": "ada", "password": "wrong"}).content.decode()
    assert "The username or password is not right." in page
    assert 'value="ada"' in page
    assert "wrong" not in page


def test_an_empty_form_never_reaches_the_backend(client: Client, fake_backend: FakeBackend) -> None:
    assert client.post("/accounts/login/", {"login": "", "password": ""}).status_code == 200
    assert fake_backend.received == []


def test_the_backend_s_own_limit_is_passed_on(client: Client, fake_backend: FakeBackend) -> None:
    limited = Reply(status=429, body=shapes.error("rate_limited", "Wait a minute."))
    fake_backend.answer_with("POST", "/api/auth/token/", limited)
    assert b"Wait a minute." in client.post("/accounts/login/", GOOD).content


def test_a_missing_backend_is_said_on_the_form(client: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    page = client.post("/accounts/login/", GOOD).content.decode()
    assert "AfterResume cannot be reached at the moment" in page
    assert 'value="ada"' in page


def test_a_profile_that_cannot_be_read_does_not_undo_the_sign_in(client: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("GET", "/api/me/", Reply(status=503))
    assert client.post("/accounts/login/", GOOD).status_code == 302
    assert User.objects.get().time_zone == "UTC"


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        ("/worklog/?q=x", "/worklog/?q=x"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("http://testserver/profile/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_only_own_paths_are_gone_to_afterwards(
    target: str, reached: str, client: Client, fake_backend: FakeBackend
) -> None:
    assert client.post("/accounts/login/", GOOD | {"next": target})["Location"] == reached


def test_who_is_signed_in_is_not_asked_again(signed_in: Client) -> None:
    assert signed_in.get("/accounts/login/")["Location"] == "/"


def test_a_session_of_a_user_that_is_gone_is_nobody_s(signed_in: Client) -> None:
    session = signed_in.session
    session["_auth_user_id"] = "0192f3a4-0000-7000-8000-000000000001"
    session.save()
    assert signed_in.get("/profile/").status_code == 302


def test_a_sign_in_clears_away_what_nobody_needs_any_more(client: Client, fake_backend: FakeBackend) -> None:
    long_ago = datetime.now(UTC) - services.FORGOTTEN_AFTER - timedelta(days=1)
    User.objects.create(id=shapes.ABSENT_ID, username="gone", mirrored_at=long_ago)
    Session.objects.create(session_key="over", session_data="", expire_date=long_ago)
    client.post("/accounts/login/", GOOD)
    assert [user.username for user in User.objects.all()] == ["ada"]
    assert not Session.objects.filter(session_key="over").exists()
