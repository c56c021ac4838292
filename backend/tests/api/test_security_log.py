"""What the log says of people who come in, of those who do not, and of what is refused."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.api_client import anonymous, client_for
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.mfa import make_protected

pytestmark = pytest.mark.django_db

SIGN_IN = "/api/auth/token/"
Lines = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """The lines of one event, as they go to the log."""
    caplog.set_level(logging.INFO)

    def find(event: str) -> list[dict[str, Any]]:
        messages = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
        return [message for message in messages if message["event"] == event]

    return find


def test_a_sign_in_is_in_the_log_with_person_and_factor(lines: Lines) -> None:
    actor = make_actor(username="ada")
    anonymous().post(SIGN_IN, {"username": "ada", "password": PASSWORD})
    assert [line["user_id"] for line in lines("signed_in")] == [str(actor.user_id)]
    issued = lines("token_issued")[-1]
    assert (issued["user_id"], issued["has_second_factor"]) == (str(actor.user_id), False)
    assert {"request_id", "timestamp", "logger", "level"} <= issued.keys()


def test_a_wrong_password_is_in_the_log_without_what_was_typed(lines: Lines) -> None:
    make_actor(username="ada")
    anonymous().post(SIGN_IN, {"username": "ada", "password": "a wrong one"})
    (line,) = lines("refused")
    assert (line["code"], line["view"]) == ("bad_credentials", "TokenView")
    assert "a wrong one" not in str(line)


def test_a_refusal_at_the_door_of_the_administration_is_in_the_log(lines: Lines) -> None:
    make_protected(username="boss", is_staff=True)
    Client().post("/admin/login/", {"username": "boss", "password": "a wrong one"})
    Client().post("/admin/login/", {"username": "boss", "password": PASSWORD, "code": "000000"})
    assert [line["code"] for line in lines("refused")] == ["invalid_login", "bad_code"]


@pytest.mark.parametrize(("path", "code"), [("/api/admin/users/", "forbidden"), ("/api/me/", "not_authenticated")])
def test_what_somebody_may_not_do_is_in_the_log(lines: Lines, path: str, code: str) -> None:
    client = client_for(make_actor()) if code == "forbidden" else anonymous()
    client.get(path)
    assert [line["code"] for line in lines("refused")] == [code]


def test_an_ordinary_mistake_is_none_of_its_business(lines: Lines) -> None:
    client_for(make_actor()).post("/api/worklogs/", {"title": ""})
    assert lines("refused") == []
