"""The e-mail address over HTTP."""

import pytest

from apps.accounts.models import User
from apps.common import clock
from apps.common.errors import Unavailable
from apps.invitations.services import create_passkey
from apps.orchestration import signup
from tests.accounts.mailbox import follow_link, list_kinds, open_mail
from tests.api_client import anonymous, client_for
from tests.factories.accounts import PASSWORD, make_actor

pytestmark = pytest.mark.django_db

CHANGE = "/api/auth/email/change/"
VERIFY = "/api/auth/email/verify/"


def verify(kind: str) -> tuple[int, dict[str, object]]:
    response = anonymous().post(VERIFY, {"key": follow_link(kind)[-1]})
    return response.status_code, response.json()


def make_sign_up(**change: object) -> dict[str, object]:
    _, raw = create_passkey(actor=None, now=clock.now())
    return {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "passkey": raw, **change}


def test_who_signs_up_is_asked_to_prove_the_address() -> None:
    assert anonymous().post("/api/auth/signup/", make_sign_up()).status_code == 201
    assert verify("verify_email") == (200, {"email": "ada@example.org", "is_verified": True})
    assert User.objects.get().email_verified_at is not None


@pytest.mark.failure("A19")
def test_when_the_mail_cannot_be_queued_the_passkey_stays_good(monkeypatch: pytest.MonkeyPatch) -> None:
    body = make_sign_up()

    def fail(**_: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patch:
        patch.setattr(signup, "queue_verification", fail)
        assert anonymous().post("/api/auth/signup/", body).status_code == 503
    assert not User.objects.exists()
    assert anonymous().post("/api/auth/signup/", body).status_code == 201


@pytest.mark.failure("A21")
@pytest.mark.parametrize("taken", [{"username": "EVE"}, {"email": "Eve@Example.org"}])
def test_an_invitation_never_touches_an_account_that_exists(taken: dict[str, object]) -> None:
    make_actor(username="eve", email="eve@example.org")
    before = User.objects.values().get()
    body = make_sign_up(**taken, password="a password of somebody else")
    assert anonymous().post("/api/auth/signup/", body).status_code == 400
    assert User.objects.values().get() == before


def test_the_profile_shows_what_is_proved_and_what_waits() -> None:
    client = client_for(make_actor(email="ada@example.org"))
    body = client.get("/api/me/").json()
    assert (body["is_email_verified"], body["pending_email"]) == (False, "")
    client.post(CHANGE, {"email": "new@example.org"})
    assert client.get("/api/me/").json()["pending_email"] == "new@example.org"
    assert verify("change_email") == (200, {"email": "new@example.org", "is_verified": True})
    body = client.get("/api/me/").json()
    assert (body["email"], body["is_email_verified"], body["pending_email"]) == ("new@example.org", True, "")


@pytest.mark.failure("A01", "A23")
def test_a_taken_address_is_answered_like_a_free_one() -> None:
    make_actor(email="eve@example.org")
    answers, profiles = [], []
    for email in ("free@example.org", "eve@example.org"):
        client = client_for(make_actor())
        response = client.post(CHANGE, {"email": email})
        answers.append((response.status_code, response.json()))
        profiles.append(client.get("/api/me/").json()["pending_email"] == email)
    assert answers[0] == answers[1]
    assert answers[0][0] == 202
    assert profiles == [True, True]
    assert open_mail("email_taken")["email"] == "eve@example.org"


def test_a_change_can_be_dropped() -> None:
    client = client_for(make_actor())
    client.post(CHANGE, {"email": "new@example.org"})
    assert client.delete(CHANGE).status_code == 204
    assert client.get("/api/me/").json()["pending_email"] == ""


def test_an_address_that_is_none_is_refused_by_its_field() -> None:
    response = client_for(make_actor()).post(CHANGE, {"email": "no address"})
    assert (response.status_code, list(response.json()["fields"])) == (400, ["email"])


@pytest.mark.failure("A23")
def test_who_comes_second_to_a_proved_address_is_told_so() -> None:
    client_for(make_actor()).post(CHANGE, {"email": "wanted@example.org"})
    make_actor(email="Wanted@example.org")
    status, body = verify("change_email")
    assert (status, body["code"]) == (409, "email_taken")


def test_a_key_that_is_none_is_refused() -> None:
    response = anonymous().post(VERIFY, {"key": "x"})
    assert (response.status_code, response.json()["code"]) == (400, "verification_invalid")


def test_the_mail_can_be_sent_again() -> None:
    client = client_for(make_actor())
    assert client.post("/api/auth/email/verify/resend/").status_code == 202
    assert list_kinds() == ["verify_email"]


@pytest.mark.failure("T03")
def test_a_change_of_address_proves_nothing_by_itself() -> None:
    client = client_for(make_actor(email="ada@example.org"))
    more = {"is_email_verified": True, "email_verified_at": "2026-01-01T00:00:00Z", "user": "x"}
    client.post(CHANGE, {"email": "new@example.org", **more})
    body = client.get("/api/me/").json()
    assert (body["email"], body["is_email_verified"]) == ("ada@example.org", False)
