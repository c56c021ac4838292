"""The password once more, and back to where the person was."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from apps.shell import held_forms
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.server import Reply

ADDRESS = "/accounts/reauthenticate/"
NEW_TOKEN = "/profile/tokens/new/"
TOKEN = {"name": "Nightly", "scope": "write", "expires_in_days": "30", "idempotency_key": "key-of-the-form-0001"}
FROM_FORM = {"Referer": f"http://testserver{NEW_TOKEN}"}


@pytest.fixture
def stale(signed_in: Client, fake_backend: FakeBackend) -> Client:
    """ada, whose proof of identity is too old for anything dangerous."""
    fake_backend.is_stale = True
    return signed_in


def test_a_page_that_needs_a_fresh_proof_leads_there_and_back(stale: Client) -> None:
    location = stale.get("/profile/security/keys/add/")["Location"]
    assert location == f"{ADDRESS}?next=%2Fprofile%2Fsecurity%2Fkeys%2Fadd%2F"
    assert b"Confirm that it is you" in stale.get(location).content
    response = stale.post(ADDRESS, {"password": "correct horse", "next": "/profile/security/keys/add/"})
    assert response["Location"] == "/profile/security/keys/add/"
    assert stale.get(response["Location"]).status_code == 200


def test_a_form_that_was_sent_waits_and_goes_on(stale: Client, fake_backend: FakeBackend) -> None:
    location = stale.post(NEW_TOKEN, TOKEN, headers=FROM_FORM)["Location"]
    assert location.startswith(f"{ADDRESS}?next=%2Fprofile%2Ftokens%2Fnew%2F&form=")
    page = stale.get(location)
    sent = {name: page.context[name] for name in ("target", "held_name")}
    going_on = stale.post(ADDRESS, {"password": "correct horse", "next": sent["target"], "form": sent["held_name"]})
    held = going_on.context["held"]
    assert (held.path, dict(held.fields)) == (NEW_TOKEN, TOKEN)
    assert b"data-continues" in going_on.content
    stale.post(held.path, dict(held.fields))
    assert fake_backend.personal_tokens[0]["name"] == "Nightly"


def test_an_htmx_call_is_sent_there_as_a_whole_page(stale: Client) -> None:
    headers = HTMX | {"HX-Current-URL": "http://testserver/profile/security/"}
    response = stale.post("/profile/security/totp/begin/", headers=headers)
    assert response["HX-Redirect"].startswith(f"{ADDRESS}?next=%2Fprofile%2Fsecurity%2F&form=")


def test_a_wrong_password_is_said_and_the_form_still_waits(stale: Client) -> None:
    stale.post(NEW_TOKEN, TOKEN, headers=FROM_FORM)
    held_name = stale.session["held_form"]["name"]
    wrong = {"password": "wrong", "next": NEW_TOKEN, "form": held_name}
    response = stale.post(ADDRESS, wrong)
    assert response.context["form"].errors["password"] == ["The password is not right."]
    assert response.context["held_name"] == held_name
    assert stale.post(ADDRESS, wrong | {"password": "correct horse"}).context["held"].path == NEW_TOKEN


def test_passwords_are_not_kept_with_the_form(stale: Client, fake_backend: FakeBackend) -> None:
    refused = Reply(status=403, body=shapes.error("reauthentication_required", "Please confirm."))
    fake_backend.answer_with("POST", "/api/auth/password/change/", refused)
    stale.post("/accounts/password/change/", {"current_password": "correct horse", "new_password": "another horse"})
    assert stale.session["held_form"]["fields"] == []


def test_a_form_is_taken_once_and_only_by_its_name(stale: Client) -> None:
    stale.post(NEW_TOKEN, TOKEN, headers=FROM_FORM)
    held_name = stale.session["held_form"]["name"]
    right = {"password": "correct horse", "next": NEW_TOKEN}
    assert stale.post(ADDRESS, right | {"form": "another"})["Location"] == NEW_TOKEN
    assert stale.post(ADDRESS, right | {"form": held_name})["Location"] == NEW_TOKEN


def test_a_form_that_has_waited_too_long_is_forgotten(stale: Client) -> None:
    stale.post(NEW_TOKEN, TOKEN, headers=FROM_FORM)
    given = {"password": "correct horse", "next": NEW_TOKEN, "form": stale.session["held_form"]["name"]}
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16), tick=True):
        assert stale.post(ADDRESS, given)["Location"] == NEW_TOKEN


def test_what_is_too_much_to_keep_is_left_to_the_browser(stale: Client) -> None:
    location = stale.post(NEW_TOKEN, TOKEN | {"more": "x" * 300_000}, headers=FROM_FORM)["Location"]
    assert location == f"{ADDRESS}?next=%2Fprofile%2Ftokens%2Fnew%2F"


def test_a_get_holds_nothing(rf: object, signed_in: Client) -> None:
    request = rf.get("/profile/")  # type: ignore[attr-defined]
    request.session = signed_in.session
    assert held_forms.hold_form(request, now=datetime.now(UTC)) == ""


def test_a_missing_backend_is_said_on_the_form(stale: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", "/api/auth/reauthenticate/", Reply(status=503))
    response = stale.post(ADDRESS, {"password": "correct horse"})
    assert "AfterResume cannot be reached" in response.context["form"].non_field_errors()[0]


def test_a_proof_gives_the_session_a_new_key(stale: Client) -> None:
    before = stale.session.session_key
    stale.post(ADDRESS, {"password": "correct horse"})
    assert stale.session.session_key != before


def test_a_session_that_was_ended_meanwhile_leads_to_sign_in(stale: Client, fake_backend: FakeBackend) -> None:
    fake_backend.tokens.clear()
    assert stale.post(ADDRESS, {"password": "correct horse"})["Location"].startswith("/accounts/login/")
