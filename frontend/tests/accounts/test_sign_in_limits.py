"""Limits on guessing must not lock out those who know their password."""

from django.test import Client

from tests.fakes.backend import FakeBackend

RIGHT = {"login": "ada", "password": "correct horse"}


def test_signing_in_often_is_no_failed_attempt(fake_backend: FakeBackend, db: None) -> None:
    statuses = [Client().post("/accounts/login/", RIGHT).status_code for _ in range(7)]
    assert statuses == [302] * 7


def test_wrong_passwords_are_still_counted(fake_backend: FakeBackend, db: None) -> None:
    for _ in range(5):
        Client().post("/accounts/login/", RIGHT | {"password": "wrong"})
    page = Client().post("/accounts/login/", RIGHT).content.decode()
    assert "Too many failed login attempts" in page
