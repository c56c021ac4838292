"""The front door of Django admin: a password and a second factor."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import User
from apps.common import clock, limits
from apps.mfa.services.resets import reset_factors
from tests.admin_client import admin_session
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.mfa import make_protected

pytestmark = pytest.mark.django_db

DOOR = "/admin/login/?next=/admin/"


def knock(client: Client, username: str, *, password: str = PASSWORD, code: str = "") -> Any:
    return client.post(DOOR, {"username": username, "password": password, "code": code})


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def test_staff_come_in_with_password_and_code() -> None:
    _, app = make_protected(username="boss", is_staff=True)
    client = Client()
    response = knock(client, "boss", code=app.code())
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert is_in(client)
    assert client.get("/api/admin/passkeys/").status_code == 200


def test_a_recovery_code_will_do() -> None:
    _, app = make_protected(username="boss", is_staff=True)
    client = Client()
    assert knock(client, "boss", code=app.recovery_codes[0]).status_code == 302
    assert is_in(client)


@pytest.mark.failure("A26")
@pytest.mark.parametrize(
    ("code", "text"), [("", "Enter the code of your second factor."), ("000000", "This code is not right")]
)
def test_without_the_right_code_nobody_comes_in(code: str, text: str) -> None:
    make_protected(username="boss", is_staff=True)
    client = Client()
    response = knock(client, "boss", code=code)
    assert response.status_code == 200
    assert text in response.content.decode()
    assert "ar_backend_session" not in client.cookies
    assert not is_in(client)


@pytest.mark.failure("A26")
def test_staff_without_a_factor_are_told_where_to_set_one_up() -> None:
    make_actor(username="boss", is_staff=True)
    client = Client()
    response = knock(client, "boss", code="000000")
    assert f"Set one up at {settings.FRONTEND_BASE_URL}/profile/security/ first." in response.content.decode()
    assert not is_in(client)


def test_people_who_are_no_staff_learn_nothing_from_a_right_password() -> None:
    _, app = make_protected(username="ada")
    answers = [knock(Client(), "ada", password=text, code=app.code()).content.decode() for text in (PASSWORD, "wrong")]
    assert all("correct username and password" in answer for answer in answers)


@pytest.mark.failure("A26")
def test_wrong_passwords_are_counted(settings: Any) -> None:
    settings.RATE_LIMITS = {limits.LOGIN_ACCOUNT.name: (2, 900)}
    _, app = make_protected(username="boss", is_staff=True)
    for _ in range(2):
        knock(Client(), "Boss", password="wrong")
    response = knock(Client(), "boss", code=app.code())
    assert response.status_code == 200
    assert "Too many attempts." in response.content.decode()


@pytest.mark.failure("A26")
def test_wrong_codes_are_counted(settings: Any) -> None:
    settings.RATE_LIMITS = {limits.SECOND_FACTOR_ACCOUNT.name: (2, 900)}
    _, app = make_protected(username="boss", is_staff=True)
    for _ in range(2):
        knock(Client(), "boss", code="000000")
    response = knock(Client(), "boss", code=app.code())
    assert "Too many attempts." in response.content.decode()


@pytest.mark.parametrize("missing", ["ar_authenticated_at", "ar_second_factor"])
def test_a_session_that_was_opened_otherwise_is_shut_out(missing: str) -> None:
    client = admin_session(make_actor(is_staff=True))
    assert is_in(client)
    session = client.session
    del session[missing]
    session.save()
    assert not is_in(client)
    assert "not as a member of staff" in client.get("/admin/login/").content.decode()


def test_a_session_ends_with_the_factor_that_opened_it() -> None:
    actor = make_actor(is_staff=True)
    client = admin_session(actor)
    reset_factors(actor=None, user_id=actor.user_id, reason="Lost phone", now=clock.now())
    assert not is_in(client)
    assert client.get("/api/admin/passkeys/").status_code == 403


@pytest.mark.failure("A09")
def test_a_session_ends_with_the_account() -> None:
    actor = make_actor(is_staff=True)
    client = admin_session(actor)
    User.objects.filter(pk=actor.user_id).update(is_active=False)
    assert not is_in(client)
