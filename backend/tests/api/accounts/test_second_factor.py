"""Second factors over HTTP: setting up, changing and removing."""

from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.contrib.auth import get_user_model
from django.test import Client as DjangoClient

from apps.accounts.types import TokenKind
from apps.common import clock
from apps.mail.models import OutgoingMail
from apps.mfa.models import SecurityKey
from apps.observability.models import AuditEvent
from apps.tenants.types import Actor
from tests.api_client import Client, anonymous, client_for
from tests.factories.accounts import PASSWORD, make_actor
from tests.factories.mfa import STEP, make_protected
from tests.mfa.authenticator import Authenticator

pytestmark = pytest.mark.django_db

BASE = "/api/auth/second-factor/"
SOME_KEY = "019ab0ef-0000-7000-8000-000000000000"
UNSAFE = [
    ("post", "totp/"),
    ("post", "totp/confirm/"),
    ("delete", "totp/"),
    ("post", "recovery-codes/"),
    ("post", "keys/options/"),
    ("post", "keys/"),
    ("patch", f"keys/{SOME_KEY}/"),
    ("delete", f"keys/{SOME_KEY}/"),
]


def set_up_totp(client: Client) -> dict[str, Any]:
    setup = client.post(f"{BASE}totp/").json()
    response = client.post(f"{BASE}totp/confirm/", {"code": pyotp.TOTP(setup["secret"]).now()})
    assert response.status_code == 200, response.content
    return {**setup, **response.json()}


def add_key(client: Client, device: Authenticator, *, name: str = "Blue key") -> Any:
    setup = client.post(f"{BASE}keys/options/").json()
    body = {"challenge": setup["challenge"], "name": name, "credential": device.create(setup["options"])}
    return client.post(f"{BASE}keys/", body)


def test_a_person_starts_with_nothing() -> None:
    assert client_for(make_actor()).get(BASE).json() == {
        "is_on": False,
        "is_required": False,
        "totp": {"is_on": False, "confirmed_at": None},
        "recovery_codes_left": 0,
        "security_keys": [],
    }


def test_staff_are_told_that_they_need_one() -> None:
    client = client_for(make_actor(is_staff=True), has_second_factor=False)
    assert client.get(BASE).json()["is_required"] is True


def test_an_app_is_set_up_with_its_first_code() -> None:
    client = client_for(make_actor())
    assert len(set_up_totp(client)["recovery_codes"]) == 10
    state = client.get(BASE).json()
    assert (state["is_on"], state["totp"]["is_on"], state["recovery_codes_left"]) == (True, True, 10)
    assert state["totp"]["confirmed_at"].endswith("Z")


@pytest.mark.failure("A26")
def test_the_first_factor_opens_the_staff_area_to_the_session_that_set_it_up() -> None:
    staff = make_actor(is_staff=True)
    client, other = (client_for(staff, has_second_factor=False) for _ in range(2))
    refused = client.get("/api/admin/passkeys/")
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    set_up_totp(client)
    assert client.get("/api/admin/passkeys/").status_code == 200
    assert other.get("/api/admin/passkeys/").status_code == 403


def test_a_wrong_code_is_named_by_field() -> None:
    client = client_for(make_actor())
    client.post(f"{BASE}totp/")
    response = client.post(f"{BASE}totp/confirm/", {"code": "000000"})
    assert (response.status_code, response.json()["code"], list(response.json()["fields"])) == (
        400,
        "bad_code",
        ["code"],
    )


def test_nothing_is_confirmed_that_was_not_begun() -> None:
    response = client_for(make_actor()).post(f"{BASE}totp/confirm/", {"code": "000000"})
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")


def test_changes_are_written_down_and_told() -> None:
    actor = make_actor()
    client = client_for(actor)
    set_up_totp(client)
    client.delete(f"{BASE}totp/")
    actions = AuditEvent.objects.filter(target_id=str(actor.user_id)).order_by("id").values_list("action", flat=True)
    assert list(actions) == ["second_factor.totp_added", "second_factor.totp_removed"]
    kinds = OutgoingMail.objects.filter(user_id=actor.user_id).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["second_factor_added", "second_factor_removed"]


def test_new_recovery_codes_take_the_place_of_the_old() -> None:
    client = client_for(make_actor())
    refused = client.post(f"{BASE}recovery-codes/")
    assert (refused.status_code, refused.json()["code"]) == (409, "second_factor_off")
    old = set_up_totp(client)["recovery_codes"]
    new = client.post(f"{BASE}recovery-codes/").json()["recovery_codes"]
    assert len(new) == 10
    assert not set(new) & set(old)


def test_a_key_is_registered_named_and_removed() -> None:
    client = client_for(make_actor())
    response = add_key(client, Authenticator())
    assert response.status_code == 201
    body = response.json()
    assert len(body.pop("recovery_codes")) == 10
    assert client.get(BASE).json()["security_keys"] == [body]
    assert client.patch(f"{BASE}keys/{body['id']}/", {"name": "Green key"}).json()["name"] == "Green key"
    assert client.delete(f"{BASE}keys/{body['id']}/").status_code == 204
    assert client.get(BASE).json()["is_on"] is False


def test_a_key_that_does_not_fit_is_refused_by_field() -> None:
    response = add_key(client_for(make_actor()), Authenticator(origin="https://evil.example"))
    assert (response.status_code, response.json()["code"], list(response.json()["fields"])) == (
        400,
        "bad_code",
        ["credential"],
    )
    assert not SecurityKey.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": ""}, "name"), ({"name": "x" * 81}, "name"), ({"credential": "x"}, "credential"), ({}, "challenge")],
)
def test_input_that_breaks_a_rule_is_refused_by_field(change: dict[str, Any], field: str) -> None:
    body = {"challenge": "x", "name": "Blue key", "credential": {}} | change
    if not change:
        del body["challenge"]
    response = client_for(make_actor()).post(f"{BASE}keys/", body)
    assert (response.status_code, list(response.json()["fields"])) == (400, [field])


def test_nobody_touches_the_key_of_another() -> None:
    key = add_key(client_for(make_actor()), Authenticator()).json()
    stranger = client_for(make_actor())
    assert stranger.patch(f"{BASE}keys/{key['id']}/", {"name": "Mine"}).status_code == 404
    assert stranger.delete(f"{BASE}keys/{key['id']}/").status_code == 404


def test_staff_cannot_remove_their_last_factor() -> None:
    client = client_for(make_actor(is_staff=True))
    set_up_totp(client)
    response = client.delete(f"{BASE}totp/")
    assert (response.status_code, response.json()["code"]) == (409, "last_factor_of_staff")
    add_key(client, Authenticator())
    assert client.delete(f"{BASE}totp/").status_code == 204


@pytest.mark.parametrize(("method", "path"), UNSAFE)
def test_changes_need_a_fresh_proof(method: str, path: str) -> None:
    stale = client_for(make_actor(), authenticated_at=clock.now() - timedelta(minutes=16))
    response = getattr(stale, method)(BASE + path)
    assert (response.status_code, response.json()["code"]) == (403, "reauthentication_required")


@pytest.mark.parametrize(("method", "path"), [("get", ""), *UNSAFE])
def test_a_personal_token_has_no_business_here(method: str, path: str) -> None:
    program = client_for(make_actor(), kind=TokenKind.PERSONAL)
    response = getattr(program, method)(BASE + path)
    assert (response.status_code, response.json()["code"]) == (403, "session_required")


@pytest.mark.parametrize(("method", "path"), UNSAFE)
def test_a_session_from_before_the_factor_changes_nothing(method: str, path: str) -> None:
    actor, _ = make_protected()
    response = getattr(client_for(actor, has_second_factor=False), method)(BASE + path)
    assert (response.status_code, response.json()["code"]) == (403, "second_factor_required")


@pytest.mark.parametrize(("method", "path"), [("get", ""), *UNSAFE])
def test_strangers_stay_outside(method: str, path: str) -> None:
    assert getattr(anonymous(), method)(BASE + path).status_code == 401


def test_seeing_ones_factors_costs_five_queries(django_assert_num_queries: Any) -> None:
    client = client_for(make_protected()[0])
    # The token, the person, the app, the recovery codes, the keys.
    with django_assert_num_queries(5):
        client.get(BASE)


# --- Signing in ------------------------------------------------------------------------------------------------------


def ask_for_token(actor: Actor) -> Any:
    return anonymous().post("/api/auth/token/", {"username": actor.username, "password": PASSWORD})


def answer(challenge: str, **answer: Any) -> Any:
    return anonymous().post("/api/auth/token/second-factor/", {"challenge": challenge, **answer})


def test_the_refusal_of_a_sign_in_brings_the_challenge() -> None:
    actor, app = make_protected()
    refused = ask_for_token(actor)
    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")
    challenge = refused.json()["challenge"]
    assert (challenge["methods"], challenge["webauthn"]) == (["totp", "recovery"], None)
    response = answer(challenge["id"], code=app.code(), name="Laptop")
    assert response.status_code == 200
    assert (response.json()["user"]["id"], set(response.json())) == (
        str(actor.user_id),
        {"token", "expires_at", "user"},
    )
    client = Client(headers={"Authorization": f"Token {response.json()['token']}"})
    assert client.get(BASE).status_code == 200


def test_a_security_key_completes_a_sign_in() -> None:
    actor, device = make_actor(), Authenticator()
    add_key(client_for(actor), device)
    challenge = ask_for_token(actor).json()["challenge"]
    assert challenge["methods"] == ["recovery", "webauthn"]
    assert challenge["webauthn"]["rpId"] == "localhost"
    response = answer(challenge["id"], credential=device.get(challenge["webauthn"]))
    assert response.status_code == 200


@pytest.mark.failure("A26")
def test_staff_who_signed_in_with_both_are_let_in() -> None:
    actor, app = make_protected(is_staff=True)
    token = answer(ask_for_token(actor).json()["challenge"]["id"], code=app.code()).json()["token"]
    client = Client(headers={"Authorization": f"Token {token}"})
    assert client.get("/api/admin/passkeys/").status_code == 200


@pytest.mark.failure("A02")
def test_after_five_wrong_codes_the_right_one_comes_too_late() -> None:
    actor, app = make_protected()
    challenge = ask_for_token(actor).json()["challenge"]["id"]
    codes = [answer(challenge, code="000000").json()["code"] for _ in range(6)]
    assert codes == ["bad_code"] * 5 + ["challenge_expired"]
    assert answer(challenge, code=app.code()).json()["code"] == "challenge_expired"


@pytest.mark.failure("A02")
def test_ten_wrong_codes_make_the_account_wait_whatever_the_challenge() -> None:
    actor, app = make_protected()
    for _ in range(2):
        challenge = ask_for_token(actor).json()["challenge"]["id"]
        for _ in range(5):
            answer(challenge, code="000000")
    response = answer(ask_for_token(actor).json()["challenge"]["id"], code=app.code())
    assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize("body", [{}, {"code": "1", "credential": {}}, {"code": "x" * 65}, {"credential": "x"}])
def test_an_answer_is_a_code_or_a_signature(body: dict[str, Any]) -> None:
    response = answer("x", **body)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")


def test_a_closed_account_gets_no_token_for_a_right_answer() -> None:
    actor, app = make_protected()
    challenge = ask_for_token(actor).json()["challenge"]["id"]
    get_user_model().objects.filter(id=actor.user_id).update(is_active=False)
    assert answer(challenge, code=app.code()).json()["code"] == "challenge_expired"


# --- The session of Django admin -------------------------------------------------------------------------------------


def log_in(client: DjangoClient, actor: Actor, **fields: Any) -> Any:
    body = {"username": actor.username, "password": PASSWORD, **fields}
    return client.post("/api/auth/login/", body, content_type="application/json")


def test_a_session_asks_for_the_code_in_the_same_step() -> None:
    actor, app = make_protected(is_staff=True)
    client = DjangoClient()
    assert log_in(client, actor).json()["code"] == "second_factor_required"
    assert log_in(client, actor, code="000000").json()["code"] == "bad_code"
    assert "ar_backend_session" not in client.cookies
    assert log_in(client, actor, code=app.code()).status_code == 200
    assert client.get("/api/admin/passkeys/").status_code == 200


def test_a_session_without_a_factor_is_none_of_staff_until_one_is_set_up() -> None:
    actor = make_actor(is_staff=True)
    client = DjangoClient()
    assert log_in(client, actor).status_code == 200
    assert client.get("/api/admin/passkeys/").json()["code"] == "second_factor_required"
    secret = client.post(f"{BASE}totp/").json()["secret"]
    code = pyotp.TOTP(secret).at(clock.now() - STEP)
    assert client.post(f"{BASE}totp/confirm/", {"code": code}, content_type="application/json").status_code == 200
    assert client.get("/api/admin/passkeys/").status_code == 200
