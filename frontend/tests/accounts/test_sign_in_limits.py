"""The backend counts guesses, by the person's own address; the form passes its refusals on and adds none."""

import pytest
from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

RIGHT = {"login": "ada", "password": "correct horse"}


@pytest.mark.failure("A04")
def test_thirty_people_behind_one_address_all_come_in(fake_backend: FakeBackend, db: None) -> None:
    for number in range(30):
        fake_backend.add_user(f"person{number}", f"secret horse {number}")
    for number in range(30):
        credentials = {"login": f"person{number}", "password": f"secret horse {number}"}
        Client().post("/accounts/login/", credentials | {"password": "a slip"})
        assert Client().post("/accounts/login/", credentials).status_code == 302


def test_what_the_backend_says_of_too_many_tries_is_shown(fake_backend: FakeBackend, db: None) -> None:
    sentence = "Too many attempts. Please try again in 15 minutes."
    limited = Reply(status=429, body=shapes.error("rate_limited", sentence), headers={"Retry-After": "900"})
    fake_backend.answer_with("POST", "/api/auth/token/", limited)
    assert sentence in Client().post("/accounts/login/", RIGHT).content.decode()
