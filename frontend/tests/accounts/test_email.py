"""The e-mail address: confirming, changing, reminding."""

import pytest
from django.test import Client

from apps.accounts.models import User
from tests.fakes.accounts import GOOD_KEY
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

VERIFY = f"/accounts/email/verify/{GOOD_KEY}/"
CHANGE = "/accounts/email/change/"


def test_looking_at_the_link_confirms_nothing(fake_backend: FakeBackend, db: None) -> None:
    assert b"Confirm address" in Client().get(VERIFY).content
    assert fake_backend.received == []


def test_the_button_confirms_without_a_session(fake_backend: FakeBackend, db: None) -> None:
    response = Client().post(VERIFY, follow=True)
    assert response.redirect_chain == [("/accounts/login/", 302)]
    assert b"ada@example.com is confirmed. Sign in to go on." in response.content


def test_in_a_session_the_reminder_is_gone_at_once(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.profiles["ada"]["is_email_verified"] = False
    assert b"Send it again" in signed_in.get("/profile/").content
    response = signed_in.post(VERIFY, follow=True)
    assert response.redirect_chain == [("/profile/", 302)]
    assert b"Send it again" not in response.content


def test_a_dead_link_is_said(fake_backend: FakeBackend, db: None) -> None:
    response = Client().post("/accounts/email/verify/old/")
    assert response.status_code == 400
    assert b"This link has ended" in response.content


def test_the_reminder_is_on_every_page_and_sends_again(client: Client, fake_backend: FakeBackend, db: None) -> None:
    fake_backend.profiles["ada"]["is_email_verified"] = False
    client.post("/accounts/login/", {"login": "ada", "password": "correct horse"})
    assert b"Send it again" in client.get("/worklog/").content
    headers = {"Referer": "http://testserver/worklog/"}
    response = client.post("/accounts/email/resend/", headers=headers, follow=True)
    assert response.redirect_chain == [("/worklog/", 302)]
    assert b"A mail with a new link is on its way." in response.content
    assert fake_backend.calls_of("POST", "/api/auth/email/verify/resend/")


def test_a_change_waits_for_the_new_address_and_can_be_dropped(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(CHANGE, {"email": "new@example.com"}, follow=True)
    assert b"new@example.com</strong> has not confirmed yet" in response.content
    assert b"Drop the change" in signed_in.get("/profile/").content
    response = signed_in.post("/accounts/email/change/drop/", follow=True)
    assert b"Your address stays as it is." in response.content
    assert fake_backend.profiles["ada"]["pending_email"] == ""


def test_a_confirmed_change_reaches_the_mirror(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.post(CHANGE, {"email": "new@example.com"})
    signed_in.post(VERIFY)
    assert User.objects.get().email == "new@example.com"


@pytest.mark.parametrize("email", ["", "no address"])
def test_what_is_no_address_is_refused_here(email: str, signed_in: Client, fake_backend: FakeBackend) -> None:
    assert signed_in.post(CHANGE, {"email": email}).context["form"].errors["email"]
    assert fake_backend.calls_of("POST", "/api/auth/email/change/") == []


def test_trouble_is_said_on_the_form(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", "/api/auth/email/change/", Reply(status=503))
    assert signed_in.post(CHANGE, {"email": "new@example.com"}).context["form"].non_field_errors()
