"""One's own sessions and personal tokens over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from apps.accounts.models import ApiToken
from apps.accounts.types import TokenKind
from apps.common import clock
from apps.common.ids import uuid7
from tests.accounts.mailbox import list_kinds, open_mail
from tests.accounts.test_devices import FIREFOX
from tests.api_client import Client, anonymous, client_for, with_key
from tests.factories.accounts import PASSWORD, make_actor, make_staff

pytestmark = pytest.mark.django_db

TOKENS, SESSIONS = "/api/auth/tokens/", "/api/auth/sessions/"
WISH: dict[str, Any] = {"name": "CI", "scopes": ["read"]}


def with_token(key: str) -> Client:
    client = anonymous()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return client


def sign_in(**headers: str) -> Client:
    body = {"username": "ada", "password": PASSWORD, "name": "Web"}
    return with_token(anonymous().post("/api/auth/token/", body, headers=headers).json()["token"])


def test_a_session_says_where_it_is_and_which_is_this_one() -> None:
    make_actor(username="ada")
    sign_in()
    client = sign_in(**{"User-Agent": FIREFOX})
    here, other = client.get(SESSIONS).json()
    assert (here["device"], here["address"], here["is_current"]) == ("Firefox on Linux", "127.0.0.1", True)
    assert (here["name"], here["has_second_factor"]) == ("Web", False)
    assert (other["device"], other["is_current"]) == ("Unknown device", False)


def test_a_sign_in_from_another_device_is_told_by_mail() -> None:
    make_actor(username="ada")
    sign_in()
    sign_in(**{"User-Agent": FIREFOX})
    body = {"username": "ada", "password": PASSWORD}
    anonymous().post("/api/auth/login/", body, headers={"User-Agent": "curl/8.5.0"})
    assert list_kinds("ada@example.org") == ["new_sign_in", "new_sign_in"]
    assert open_mail("new_sign_in")["device"] == "curl"


def test_a_session_opened_with_a_second_factor_says_so() -> None:
    (row,) = client_for(make_staff()).get(SESSIONS).json()
    assert row["has_second_factor"] is True


@pytest.mark.failure("A14")
def test_a_session_that_is_ended_elsewhere_dies_at_once_and_its_use_is_an_alarm() -> None:
    actor = make_actor()
    thief, owner = client_for(actor), client_for(actor)
    (stolen,) = [row["id"] for row in owner.get(SESSIONS).json() if not row["is_current"]]
    assert owner.delete(f"{SESSIONS}{stolen}/").status_code == 204
    with capture_logs() as logs:
        response = thief.get("/api/me/")
    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")
    assert [entry["token_id"] for entry in logs if entry["event"] == "revoked_token_used"] == [stolen]
    assert owner.delete(f"{SESSIONS}{stolen}/").status_code == 404


@pytest.mark.failure("T02")
def test_nobody_sees_or_ends_what_belongs_to_others() -> None:
    theirs = make_actor()
    client_for(theirs), client_for(theirs, kind=TokenKind.PERSONAL)
    session, personal = ApiToken.objects.order_by("-kind")
    client = client_for(make_actor())
    for address, row in ((SESSIONS, session), (TOKENS, personal)):
        listed = [entry["id"] for entry in client.get(address).json()]
        assert str(row.public_id) not in listed
        assert client.delete(f"{address}{row.public_id}/").status_code == 404
    assert client.delete(f"{TOKENS}{uuid7()}/").status_code == 404
    assert ApiToken.objects.filter(user_id=theirs.user_id).count() == 2


@pytest.mark.failure("A14")
def test_a_personal_token_is_shown_once_listed_and_ended() -> None:
    client = client_for(make_actor())
    response = client.post(TOKENS, WISH)
    assert response.status_code == 201
    made = response.json()
    script = with_token(made.pop("token"))
    assert script.get("/api/me/").status_code == 200
    (listed,) = client.get(TOKENS).json()
    assert listed == {**made, "last_used_at": listed["last_used_at"]}
    assert client.delete(f"{TOKENS}{made['id']}/").status_code == 204
    assert script.get("/api/me/").status_code == 401


def test_a_personal_token_lives_ninety_days_unless_something_else_is_asked_for() -> None:
    client = client_for(make_actor())
    for days, wish in ((90, WISH), (7, {**WISH, "expires_in_days": 7})):
        made = ApiToken.objects.get(public_id=client.post(TOKENS, wish).json()["id"])
        assert abs(made.expiry - clock.now() - timedelta(days=days)) < timedelta(minutes=1)


def test_a_replay_makes_no_second_token_and_does_not_show_the_key_again() -> None:
    client = client_for(make_actor())
    first, second = (client.post(TOKENS, WISH, **with_key("k1")).json() for _ in range(2))
    assert second == {**first, "token": ""}
    assert len(client.get(TOKENS).json()) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["write"]}, "scopes"),
        ({"scopes": ["admin"]}, "scopes.0"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 366}, "expires_in_days"),
    ],
)
def test_a_wish_that_breaks_a_rule_is_refused_by_field(change: dict[str, Any], field: str) -> None:
    response = client_for(make_actor()).post(TOKENS, {**WISH, **change})
    assert (response.status_code, list(response.json()["fields"])) == (400, [field])


@pytest.mark.failure("T03")
def test_a_wish_for_more_than_a_token_is_not_heard() -> None:
    other = make_actor()
    more = {"user": str(other.user_id), "kind": "session", "second_factor_at": "2026-01-01T00:00:00Z", "expiry": None}
    client_for(make_actor()).post(TOKENS, {**WISH, **more})
    made = ApiToken.objects.get(name="CI")
    assert (made.kind, made.second_factor_at, made.user_id == other.user_id) == ("personal", None, False)


def test_making_a_token_needs_a_fresh_proof() -> None:
    client = client_for(make_actor(), authenticated_at=clock.now() - timedelta(minutes=16))
    response = client.post(TOKENS, WISH)
    assert (response.status_code, response.json()["code"]) == (403, "reauthentication_required")


def test_a_token_that_may_only_read_changes_nothing_but_may_end_itself() -> None:
    actor = make_actor()
    reader = client_for(actor, kind=TokenKind.PERSONAL, scopes=["read"])
    response = reader.patch("/api/me/", {"display_name": "Ada"})
    assert (response.status_code, response.json()["code"]) == (403, "read_only_token")
    assert reader.get("/api/me/").json()["profile"]["display_name"] == ""
    assert reader.post("/api/auth/logout/").status_code == 204
    assert reader.get("/api/me/").status_code == 401


def test_a_token_that_may_write_changes_things() -> None:
    writer = client_for(make_actor(), kind=TokenKind.PERSONAL)
    assert writer.patch("/api/me/", {"display_name": "Ada"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("get", SESSIONS),
        ("get", TOKENS),
        ("post", TOKENS),
        ("post", "/api/auth/logout-all/"),
        ("post", "/api/auth/password/change/"),
        ("post", "/api/auth/reauthenticate/"),
        ("post", "/api/auth/email/change/"),
        ("delete", "/api/auth/email/change/"),
        ("post", "/api/auth/email/verify/resend/"),
    ],
)
def test_a_program_cannot_act_on_the_account_itself(method: str, address: str) -> None:
    client = client_for(make_actor(), kind=TokenKind.PERSONAL)
    response = getattr(client, method)(address)
    assert (response.status_code, response.json()["code"]) == (403, "session_required")


def test_staff_need_a_session_with_a_second_factor() -> None:
    staff = make_staff()
    refusals = [
        client.get("/api/admin/passkeys/")
        for client in (client_for(staff, has_second_factor=False), client_for(staff, kind=TokenKind.PERSONAL))
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in refusals] == [
        (403, "second_factor_required"),
        (403, "session_required"),
    ]
    assert client_for(staff).get("/api/admin/passkeys/").status_code == 200
    assert client_for(make_actor(), has_second_factor=True).get("/api/admin/passkeys/").json()["code"] == "forbidden"


def test_lists_cost_two_queries(django_assert_num_queries: Any) -> None:
    client = client_for(make_actor())
    for _ in range(3):
        client.post(TOKENS, WISH)
    for address in (TOKENS, SESSIONS):
        with django_assert_num_queries(2):
            client.get(address)
