"""The second step of a sign-in."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.identity import GOOD_CODE, RECOVERY_CODES
from tests.fakes.server import Reply

pytestmark = pytest.mark.django_db
GOOD = {"login": "ada", "password": "correct horse"}
ADDRESS = "/accounts/second-factor/"


@pytest.fixture
def half_way(client: Client, fake_backend: FakeBackend) -> Client:
    """A browser in which ada's password was right."""
    fake_backend.set_totp()
    client.post("/accounts/login/", GOOD | {"next": "/worklog/?q=x"})
    return client


def test_the_password_alone_leads_to_the_second_step_and_no_further(half_way: Client) -> None:
    assert "_auth_user_id" not in half_way.session
    assert half_way.get("/profile/")["Location"].startswith("/accounts/login/")
    assert b"One more step" in half_way.get(ADDRESS).content


@pytest.mark.parametrize("code", [GOOD_CODE, "123 456", RECOVERY_CODES[0]])
def test_a_code_completes_the_sign_in_and_leads_on(code: str, half_way: Client, fake_backend: FakeBackend) -> None:
    response = half_way.post(ADDRESS, {"code": code})
    assert (response.status_code, response["Location"]) == (302, "/worklog/?q=x")
    assert half_way.session["backend_token"] in fake_backend.tokens


def test_a_security_key_s_answer_completes_it_too(client: Client, fake_backend: FakeBackend) -> None:
    fake_backend.factors["ada"] |= {"is_on": True, "security_keys": [shapes.security_key()]}
    client.post("/accounts/login/", GOOD)
    assert b'data-webauthn="get"' in client.get(ADDRESS).content
    response = client.post(ADDRESS, {"code": "", "credential": '{"id": "key-one"}'})
    assert response["Location"] == "/"
    sent = fake_backend.calls_of("POST", "/api/auth/token/second-factor/")[0].body
    assert sent["credential"] == {"id": "key-one"}
    assert "code" not in sent


def test_the_secret_of_the_challenge_stays_on_the_server(half_way: Client, fake_backend: FakeBackend) -> None:
    challenge = next(iter(fake_backend.challenges))
    page = half_way.get(ADDRESS)
    assert challenge not in page.content.decode()
    assert challenge not in str(page.headers) + str(half_way.cookies) + str(dict(half_way.session))


def test_a_wrong_code_is_said_beside_the_field(half_way: Client) -> None:
    # As a browser sends it: a field of JSON that nothing was put into says "null".
    response = half_way.post(ADDRESS, {"code": "000000", "credential": "null"})
    assert response.context["form"].errors["code"] == ["This code is not right, or it was used already."]
    assert response.context["form"].fields["code"].required


@pytest.mark.parametrize("sent", [{}, {"code": "", "credential": "[]"}, {"code": "", "credential": "{broken"}])
def test_nothing_is_no_answer(sent: dict[str, str], half_way: Client, fake_backend: FakeBackend) -> None:
    fake_backend.received.clear()
    assert half_way.post(ADDRESS, sent or {"code": ""}).status_code == 200
    assert fake_backend.received == []


def test_a_refused_key_is_said_above_the_form(half_way: Client, fake_backend: FakeBackend) -> None:
    refused = Reply(status=400, body=shapes.error("bad_code", "This security key was not accepted."))
    fake_backend.answer_with("POST", "/api/auth/token/second-factor/", refused)
    response = half_way.post(ADDRESS, {"credential": '{"id": "key-one"}'})
    assert response.context["form"].non_field_errors() == ["This security key was not accepted."]


def test_a_missing_backend_is_said_and_the_step_stays_open(half_way: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("POST", "/api/auth/token/second-factor/", Reply(status=503), times=1)
    assert b"AfterResume cannot be reached" in half_way.post(ADDRESS, {"code": GOOD_CODE}).content
    assert half_way.post(ADDRESS, {"code": GOOD_CODE}).status_code == 302


def test_after_five_minutes_it_begins_again_and_still_leads_there(half_way: Client) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6), tick=True):
        response = half_way.post(ADDRESS, {"code": GOOD_CODE}, follow=True)
    assert response.redirect_chain == [("/accounts/login/?next=%2Fworklog%2F%3Fq%3Dx", 302)]
    assert b"Sign in once more to get another try" in response.content


def test_a_challenge_that_the_backend_has_ended_begins_again(half_way: Client, fake_backend: FakeBackend) -> None:
    fake_backend.challenges.clear()
    response = half_way.post(ADDRESS, {"code": GOOD_CODE}, follow=True)
    assert b"Sign in once more" in response.content
    assert half_way.get(ADDRESS)["Location"] == "/accounts/login/"


def test_the_step_cannot_be_begun_in_the_middle(client: Client, signed_in: Client) -> None:
    assert Client().get(ADDRESS)["Location"] == "/accounts/login/"
    assert signed_in.get(ADDRESS)["Location"] == "/"


def test_a_challenge_sealed_under_another_secret_is_none(half_way: Client) -> None:
    session = half_way.session
    session["pending_sign_in"] |= {"challenge": "sealed long ago"}
    session.save()
    assert half_way.get(ADDRESS)["Location"] == "/accounts/login/"


def test_a_refusal_without_a_challenge_is_a_backend_that_cannot_be_read(
    client: Client, fake_backend: FakeBackend
) -> None:
    refused = Reply(status=403, body=shapes.error("second_factor_required", "Please confirm."))
    fake_backend.answer_with("POST", "/api/auth/token/", refused)
    assert client.post("/accounts/login/", GOOD).status_code == 503


@pytest.mark.failure("A16")
def test_each_step_gives_the_session_a_new_key(client: Client, fake_backend: FakeBackend) -> None:
    fake_backend.set_totp()
    client.get("/accounts/second-factor/")
    client.post("/accounts/login/", {"login": "ada", "password": "wrong"})
    keys = [client.session.session_key]
    client.post("/accounts/login/", GOOD)
    keys.append(client.session.session_key)
    client.post(ADDRESS, {"code": GOOD_CODE})
    keys.append(client.session.session_key)
    assert len(set(keys)) == 3
    assert not any(client.session.exists(key) for key in keys[:2] if key)
