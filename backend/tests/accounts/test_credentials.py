"""Signing in: by name or address, and without telling strangers who exists."""

import pytest
from django.contrib.auth.hashers import BasePasswordHasher, get_hasher

from apps.accounts.services import users
from apps.accounts.services.credentials import BadCredentials, check_credentials
from apps.common import clock
from tests.factories.accounts import PASSWORD, make_actor

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["ada", "ADA", "ada@example.org", "Ada@Example.Org"])
def test_a_person_signs_in_by_name_or_address(name: str) -> None:
    actor = make_actor(username="ada", email="ada@example.org")
    assert check_credentials(username=name, password=PASSWORD) == actor.user_id


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("eve", PASSWORD), ("", PASSWORD), ("ada", "")])
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(name: str, password: str) -> None:
    make_actor(username="ada")
    with pytest.raises(BadCredentials) as caught:
        check_credentials(username=name, password=password)
    assert caught.value.text == "The username or password is not right."


def test_a_closed_account_is_refused_like_an_unknown_one() -> None:
    actor = make_actor(username="ada")
    users.set_active(actor=actor.user_id, user_id=actor.user_id, is_active=False, reason="", now=clock.now())
    with pytest.raises(BadCredentials):
        check_credentials(username="ada", password=PASSWORD)


@pytest.mark.parametrize("name", ["ada", "eve"])
def test_an_unknown_name_costs_the_same_hash_as_a_known_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_actor(username="ada")
    hashed: list[str] = []
    hasher: type[BasePasswordHasher] = type(get_hasher())
    original = hasher.encode

    def encode(self: BasePasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return original(self, password, salt)

    monkeypatch.setattr(hasher, "encode", encode)
    with pytest.raises(BadCredentials):
        check_credentials(username=name, password="wrong")
    assert hashed == ["wrong"]
