"""A new password: by a link, and by knowing the present one."""

import pytest
from django.test import Client

from tests.fakes import shapes
from tests.fakes.accounts import GOOD_RESET
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

pytestmark = pytest.mark.django_db
RESET = "/accounts/password/reset/"
CHANGE = "/accounts/password/change/"
LINK = f"{RESET}{GOOD_RESET[0]}/{GOOD_RESET[1]}/"
CHOOSE = f"{RESET}choose/"


@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
def test_asking_for_a_link_tells_nothing(email: str, client: Client, fake_backend: FakeBackend) -> None:
    response = client.post(RESET, {"email": email}, follow=True)
    assert response.redirect_chain == [(f"{RESET}sent/", 302)]
    assert b"If there is an account with that address" in response.content
    assert email.encode() not in response.content


def test_an_address_that_is_none_is_refused_here(client: Client, fake_backend: FakeBackend) -> None:
    assert client.post(RESET, {"email": "no address"}).context["form"].errors["email"]
    assert fake_backend.received == []


@pytest.mark.parametrize("status", [429, 503])
def test_trouble_with_asking_is_said_on_the_form(status: int, client: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", "/api/auth/password/reset/", Reply(status=status, body=shapes.error("c", "No.")))
    assert client.post(RESET, {"email": "ada@example.com"}).context["form"].non_field_errors()


def test_the_secret_leaves_the_address_before_a_page_is_shown(client: Client) -> None:
    response = client.get(LINK)
    assert response["Location"] == CHOOSE
    page = client.get(CHOOSE)
    assert page["Referrer-Policy"] == "same-origin"
    assert not any(secret in page.content.decode() + str(dict(client.session)) for secret in GOOD_RESET)


def test_the_link_sets_a_password_and_signs_out_everywhere(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.get(LINK)
    response = signed_in.post(CHOOSE, {"password": "a brand new horse"}, follow=True)
    assert (fake_backend.passwords["ada"], fake_backend.tokens) == ("a brand new horse", {})
    assert response.redirect_chain == [("/accounts/login/", 302)]
    assert b"Your new password is set" in response.content


def test_a_link_works_once_in_a_browser(client: Client, fake_backend: FakeBackend) -> None:
    client.get(LINK)
    client.post(CHOOSE, {"password": "a brand new horse"})
    assert client.get(CHOOSE).status_code == 400


def test_a_password_that_is_too_weak_is_refused_beside_its_field(client: Client, fake_backend: FakeBackend) -> None:
    client.get(LINK)
    response = client.post(CHOOSE, {"password": "short"})
    assert response.context["form"].errors["password"] == ["This password is too short."]
    assert client.post(CHOOSE, {"password": "a brand new horse"}).status_code == 302


def test_a_dead_link_says_so_and_leads_to_a_new_one(client: Client, fake_backend: FakeBackend) -> None:
    client.get(f"{RESET}good-uid/old-token/")
    response = client.post(CHOOSE, {"password": "a brand new horse"})
    assert response.status_code == 400
    assert b"This link has ended" in response.content


def test_the_choosing_page_without_a_link_is_a_dead_link(client: Client) -> None:
    assert b"This link has ended" in client.get(CHOOSE).content


def test_changing_the_password_keeps_this_session_alone(signed_in: Client, fake_backend: FakeBackend) -> None:
    elsewhere, before = fake_backend.issue_token(), signed_in.session.session_key
    response = signed_in.post(CHANGE, {"current_password": "correct horse", "new_password": "a brand new horse"})
    assert response["Location"] == "/profile/security/"
    assert elsewhere not in fake_backend.tokens
    assert signed_in.session["backend_token"] in fake_backend.tokens
    assert signed_in.session.session_key != before


def test_a_wrong_present_password_is_said_beside_its_field(signed_in: Client) -> None:
    response = signed_in.post(CHANGE, {"current_password": "wrong", "new_password": "a brand new horse"})
    assert response.context["form"].errors["current_password"] == ["This is not your password."]
    assert b"a brand new horse" not in response.content


def test_bad_credentials_without_a_field_are_the_present_password(signed_in: Client, fake_backend: FakeBackend) -> None:
    refused = Reply(status=400, body=shapes.error("bad_credentials", "The password is not right."))
    fake_backend.answer_with("POST", "/api/auth/password/change/", refused)
    response = signed_in.post(CHANGE, {"current_password": "wrong", "new_password": "a brand new horse"})
    assert response.context["form"].errors["current_password"] == ["The password is not right."]
