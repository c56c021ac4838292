"""Limits as callers meet them."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from apps.common import limits
from apps.common.rate_limits import Limit
from apps.observability.visitors import sign
from tests.api_client import anonymous, client_for
from tests.factories.accounts import PASSWORD, make_actor

pytestmark = pytest.mark.django_db


def narrow(settings: Settings, limit: Limit, amount: int) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, limit.name: (amount, 900)}


def sign_in(name: str = "ada", password: str = "wrong password", **headers: str) -> Any:
    return anonymous().post("/api/auth/token/", {"username": name, "password": password}, headers=headers)


@pytest.mark.failure("A02")
def test_wrong_passwords_for_one_account_come_to_an_end() -> None:
    make_actor(username="ada")
    statuses = [sign_in().status_code for _ in range(limits.LOGIN_ACCOUNT.amount + 1)]
    assert statuses == [400] * limits.LOGIN_ACCOUNT.amount + [429]
    refused = sign_in(password=PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 0 < int(refused["Retry-After"]) <= limits.LOGIN_ACCOUNT.seconds
    assert "try again in 15 minutes" in refused.json()["error"]


@pytest.mark.failure("A02")
@pytest.mark.parametrize("spelling", ["ADA.I", " ada.i ", "ada.\N{LATIN SMALL LETTER DOTLESS I}", "\uff21DA.i"])
def test_another_spelling_of_the_name_is_the_same_account(spelling: str, settings: Settings) -> None:
    narrow(settings, limits.LOGIN_ACCOUNT, 1)
    sign_in("ada.i")
    assert sign_in(spelling).status_code == 429


@pytest.mark.failure("A02")
def test_a_name_sent_as_a_number_is_counted_as_well(settings: Settings) -> None:
    narrow(settings, limits.LOGIN_ACCOUNT, 1)
    sign_in("123")
    answer = anonymous().post("/api/auth/token/", {"username": 123, "password": "wrong password"})
    assert answer.status_code == 429


@pytest.mark.failure("A02")
def test_wrong_passwords_from_one_address_come_to_an_end_and_a_right_one_resets_nothing(settings: Settings) -> None:
    narrow(settings, limits.LOGIN_ADDRESS, 3)
    make_actor(username="eve")
    assert [sign_in(f"victim{number}").status_code for number in range(2)] == [400, 400]
    assert sign_in("eve", PASSWORD).status_code == 200
    assert [sign_in(f"victim{number}").status_code for number in range(2, 4)] == [400, 429]


@pytest.mark.failure("A04")
def test_signing_in_often_and_rightly_locks_nobody_out(settings: Settings) -> None:
    narrow(settings, limits.LOGIN_ADDRESS, 3)
    narrow(settings, limits.LOGIN_ACCOUNT, 3)
    make_actor(username="ada")
    assert [sign_in("ada", PASSWORD).status_code for _ in range(8)] == [200] * 8


@pytest.mark.failure("A02")
def test_the_session_of_the_api_and_the_token_share_their_limits(settings: Settings) -> None:
    narrow(settings, limits.LOGIN_ACCOUNT, 1)
    sign_in()
    answer = anonymous().post("/api/auth/login/", {"username": "ada", "password": "wrong password"})
    assert answer.status_code == 429


@pytest.mark.failure("A05")
@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_fifty_guesses_at_once_are_not_more_than_the_limit() -> None:
    make_actor(username="ada")
    barrier = Barrier(50)

    def guess(_: int) -> int:
        try:
            barrier.wait(timeout=20)
            return int(sign_in().status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        answers = Counter(pool.map(guess, range(50)))
    assert answers == {400: limits.LOGIN_ACCOUNT.amount, 429: 50 - limits.LOGIN_ACCOUNT.amount}


@pytest.mark.failure("A06")
def test_with_the_counters_away_nobody_signs_in_and_those_inside_go_on(settings: Settings) -> None:
    actor = make_actor(username="ada")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    refused = sign_in("ada", PASSWORD)
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    assert client_for(actor).get("/api/me/").status_code == 200


@pytest.mark.failure("A04")
def test_thirty_people_behind_one_frontend_are_thirty_addresses(settings: Settings) -> None:
    narrow(settings, limits.LOGIN_ADDRESS, 3)
    settings.INTERNAL_API_SECRET = "only-for-tests-shared-by-both-services-0123456789"
    for number in range(30):
        headers = vouch_for(f"203.0.113.{number}", secret=settings.INTERNAL_API_SECRET)
        assert [sign_in(f"person{number}", **headers).status_code for _ in range(3)] == [400] * 3
    assert sign_in("person0", **vouch_for("203.0.113.0", secret=settings.INTERNAL_API_SECRET)).status_code == 429


def vouch_for(address: str, *, secret: str) -> dict[str, str]:
    minute, request_id = int(time.time()) // 60, "request-0001"
    signature = sign(secret=secret, minute=minute, request_id=request_id, address=address, user_agent="")
    return {"X-Request-ID": request_id, "X-Client-Address": address, "X-Client-Signature": signature}


def newcomer(passkey: str) -> dict[str, str]:
    return {"username": "newcomer", "email": "new@example.org", "password": PASSWORD, "passkey": passkey}


@pytest.mark.failure("A20")
def test_guesses_of_invite_passkeys_come_to_an_end() -> None:
    keys = [f"inv_{number:032}" for number in range(limits.PASSKEY_ADDRESS.amount + 1)]
    answers = [anonymous().post("/api/auth/signup/", newcomer(key)) for key in keys]
    assert [answer.status_code for answer in answers] == [400] * limits.PASSKEY_ADDRESS.amount + [429]
    assert {answer.json()["code"] for answer in answers[:-1]} == {"passkey_invalid"}


@pytest.mark.failure("A20")
def test_a_form_with_a_mistake_is_no_guess(settings: Settings) -> None:
    narrow(settings, limits.PASSKEY_ADDRESS, 1)
    for _ in range(3):
        assert anonymous().post("/api/auth/signup/", newcomer("inv_x") | {"email": "no"}).status_code == 400


def test_sign_ups_from_one_address_are_counted_right_or_wrong(settings: Settings) -> None:
    narrow(settings, limits.SIGN_UP_ADDRESS, 2)
    statuses = [anonymous().post("/api/auth/signup/", {}).status_code for _ in range(3)]
    assert statuses == [400, 400, 429]


def test_jobs_are_counted_by_tenant_and_reading_them_is_not(settings: Settings) -> None:
    narrow(settings, limits.JOBS_TENANT, 1)
    actor = make_actor()
    colleague = make_actor(tenant=actor.tenant)
    assert client_for(actor).post("/api/reports/", {}).status_code == 400
    assert client_for(colleague).post("/api/reports/", {}).status_code == 429
    assert client_for(colleague).get("/api/reports/").status_code == 200
    assert client_for(make_actor()).post("/api/reports/", {}).status_code == 400


def test_a_token_has_its_own_share_of_the_api(settings: Settings) -> None:
    narrow(settings, limits.API_TOKEN, 2)
    actor = make_actor()
    first, second = client_for(actor), client_for(actor)
    assert [first.get("/api/me/").status_code for _ in range(3)] == [200, 200, 429]
    assert second.get("/api/me/").status_code == 200


@pytest.mark.failure("A03")
def test_a_new_forwarded_address_each_time_is_no_way_round(settings: Settings) -> None:
    narrow(settings, limits.LOGIN_ADDRESS, 3)
    settings.TRUSTED_PROXY_COUNT = 0
    headers = [{"X-Forwarded-For": f"198.51.100.{number}"} for number in range(5)]
    statuses = [sign_in(f"victim{number}", **header).status_code for number, header in enumerate(headers)]
    assert statuses == [400, 400, 400, 429, 429]


def test_strangers_and_their_dead_tokens_share_what_their_address_may(settings: Settings) -> None:
    narrow(settings, limits.API_ADDRESS, 3)
    stranger = anonymous()
    stranger.credentials(HTTP_AUTHORIZATION="Token ar_dead")
    statuses = [stranger.get("/api/me/").status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    assert sign_in().status_code == 429


def test_whether_the_process_lives_is_always_answered(settings: Settings) -> None:
    narrow(settings, limits.API_ADDRESS, 1)
    assert [anonymous().get("/api/healthz/").status_code for _ in range(3)] == [200] * 3
