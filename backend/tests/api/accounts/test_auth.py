"""Coming in and going out over HTTP."""

from typing import Any

import pytest
from django.test import Client as DjangoClient

from apps.accounts.services.users import set_active
from apps.common import clock
from apps.invitations.services import create_passkey
from tests.api_client import Client, anonymous, client_for
from tests.factories.accounts import PASSWORD, make_actor

pytestmark = pytest.mark.django_db


def ask_for_token(**body: str) -> Any:
    return anonymous().post("/api/auth/token/", body)


def log_in(client: DjangoClient | None = None, *, username: str = "ada") -> DjangoClient:
    browser = client or DjangoClient()
    body = {"username": username, "password": PASSWORD}
    assert browser.post("/api/auth/login/", body, content_type="application/json").status_code == 200
    return browser


def with_token(key: str) -> Client:
    client = anonymous()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return client


def test_a_name_and_a_password_buy_a_token_that_works() -> None:
    actor = make_actor(username="ada", email="ada@example.org")
    response = ask_for_token(username="ada", password=PASSWORD)
    assert response.status_code == 200
    assert response.json()["user"] == {
        "id": str(actor.user_id),
        "username": "ada",
        "email": "ada@example.org",
        "is_staff": False,
        "tenant": {"id": str(actor.tenant), "name": "Tenant of ada"},
        "role": "owner",
    }
    assert response.json()["expires_at"].endswith("Z")
    assert with_token(response.json()["token"]).get("/api/me/").status_code == 200


@pytest.mark.failure("A01")
@pytest.mark.parametrize(
    "credentials", [{"username": "ada", "password": "wrong"}, {"username": "eve", "password": PASSWORD}]
)
@pytest.mark.parametrize("address", ["/api/auth/token/", "/api/auth/login/"])
def test_wrong_credentials_are_refused_without_telling_what_was_wrong(address: str, credentials: Any) -> None:
    make_actor(username="ada")
    response = anonymous().post(address, credentials)
    assert response.status_code == 400
    body = response.json()
    assert (body["code"], body["error"], body["fields"]) == (
        "bad_credentials",
        "The username or password is not right.",
        {},
    )


def test_missing_credentials_are_named() -> None:
    response = ask_for_token()
    assert response.status_code == 400
    assert set(response.json()["fields"]) == {"username", "password"}


def test_a_password_keeps_its_blanks() -> None:
    make_actor(username="ada", password="  blanks around  ")
    assert ask_for_token(username="ada", password="  blanks around  ").status_code == 200
    assert ask_for_token(username="ada", password="blanks around").status_code == 400


def test_asking_for_a_token_costs_few_queries(django_assert_num_queries: Any) -> None:
    make_actor(username="ada")
    ask_for_token(username="ada", password=PASSWORD)
    # The person, the profile with tenant, their second factors; in one transaction the lock, the token, the device.
    with django_assert_num_queries(8):
        ask_for_token(username="ada", password=PASSWORD)


def test_logging_out_ends_this_token_and_no_other() -> None:
    actor = make_actor()
    first, second = client_for(actor), client_for(actor)
    assert first.post("/api/auth/logout/").status_code == 204
    response = first.get("/api/me/")
    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")
    assert second.get("/api/me/").status_code == 200


def test_logging_out_everywhere_ends_every_token() -> None:
    actor = make_actor()
    first, second = client_for(actor), client_for(actor)
    assert first.post("/api/auth/logout-all/").status_code == 204
    assert [client.get("/api/me/").status_code for client in (first, second)] == [401, 401]


@pytest.mark.failure("A09")
def test_a_deactivated_person_is_out_at_the_next_request() -> None:
    actor = make_actor()
    client = client_for(actor)
    set_active(actor=actor.user_id, user_id=actor.user_id, is_active=False, reason="", now=clock.now())
    assert client.get("/api/me/").status_code == 401


def test_logging_in_opens_a_session_that_the_api_takes() -> None:
    make_actor(username="ada")
    client = DjangoClient(enforce_csrf_checks=True)
    response = client.post(
        "/api/auth/login/", {"username": "ada", "password": PASSWORD}, content_type="application/json"
    )
    assert response.json()["user"]["username"] == "ada"
    assert client.get("/api/me/").json()["username"] == "ada"


@pytest.mark.failure("A09")
def test_a_deactivated_person_is_out_of_the_admin_s_session_too() -> None:
    actor = make_actor(username="ada")
    client = log_in()
    set_active(actor=actor.user_id, user_id=actor.user_id, is_active=False, reason="", now=clock.now())
    assert client.get("/api/me/").status_code == 401


@pytest.mark.failure("A16")
def test_logging_in_gives_the_session_a_new_key_and_the_old_one_is_dead() -> None:
    make_actor(username="ada")
    make_actor(username="eve")
    client = log_in()
    fixed = client.cookies["ar_backend_session"].value
    assert log_in(client, username="eve").cookies["ar_backend_session"].value != fixed
    thief = DjangoClient()
    thief.cookies["ar_backend_session"] = fixed
    assert thief.get("/api/me/").status_code == 401


@pytest.mark.failure("A16")
def test_a_session_key_that_somebody_else_chose_is_not_taken() -> None:
    make_actor(username="ada")
    client = DjangoClient()
    client.cookies["ar_backend_session"] = "chosenbysomebodyelse"
    assert log_in(client).cookies["ar_backend_session"].value != "chosenbysomebodyelse"


def test_a_session_changes_nothing_without_the_csrf_token() -> None:
    make_actor(username="ada")
    client = DjangoClient(enforce_csrf_checks=True)
    client.post("/api/auth/login/", {"username": "ada", "password": PASSWORD}, content_type="application/json")
    assert client.post("/api/auth/logout/", content_type="application/json").status_code == 403
    token = client.cookies["ar_backend_csrf"].value
    assert (
        client.post("/api/auth/logout/", content_type="application/json", headers={"X-CSRFToken": token}).status_code
        == 204
    )
    assert client.get("/api/me/").status_code == 401


def test_a_form_of_another_site_cannot_log_anybody_in() -> None:
    make_actor(username="ada")
    response = DjangoClient().post("/api/auth/login/", {"username": "ada", "password": PASSWORD})
    assert response.status_code == 415
    assert "ar_backend_session" not in response.cookies


def test_signing_up_answers_with_the_person() -> None:
    _, raw = create_passkey(actor=None, now=clock.now())
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "passkey": raw}
    response = anonymous().post("/api/auth/signup/", body)
    assert response.status_code == 201
    assert response.json()["message"] == "Signup successful"
    assert response.json()["user"]["tenant"]["name"] == "ada"


def test_a_used_key_is_refused_with_its_code() -> None:
    _, raw = create_passkey(actor=None, now=clock.now())
    for name in ("ada", "eve"):
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, "passkey": raw}
        response = anonymous().post("/api/auth/signup/", body)
    assert response.status_code == 400
    assert (response.json()["code"], response.json()["error"]) == ("passkey_used", "Passkey has already been used")


@pytest.mark.failure("T03")
def test_members_that_nobody_asked_for_change_nothing() -> None:
    _, raw = create_passkey(actor=None, now=clock.now())
    body = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "passkey": raw}
    response = anonymous().post("/api/auth/signup/", {**body, "is_staff": True, "role": "king", "tenant": "x"})
    assert (response.json()["user"]["is_staff"], response.json()["user"]["role"]) == (False, "owner")
