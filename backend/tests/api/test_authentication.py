"""Who is asking: dead, foreign and malformed tokens, and what a live one costs."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import ApiToken
from apps.accounts.services.tokens import issue_token
from apps.accounts.types import TokenKind
from apps.common import clock
from apps.tenants.models import Profile
from tests.api_client import anonymous, client_for
from tests.factories.accounts import make_actor, make_staff

pytestmark = pytest.mark.django_db


def ask(header: str) -> Any:
    return anonymous().get("/api/me/", headers={"Authorization": header})


@pytest.mark.parametrize("header", ["", "Bearer abc", "Basic YTpi"])
def test_other_schemes_are_no_sign_in_at_all(header: str) -> None:
    response = ask(header)
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("key", ["", "ar_unknown", "two words", "x" * 201, "ünïcödé", "ar_\x00"])
def test_a_token_that_is_none_is_refused(key: str) -> None:
    response = ask(f"Token {key}")
    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")
    assert response["WWW-Authenticate"] == "Token"


def test_the_scheme_is_read_without_regard_to_case() -> None:
    issued = issue_token(user_id=make_actor().user_id, name="API", now=clock.now())
    assert ask(f"token  {issued.key} ").status_code == 200


def test_an_expired_token_is_refused() -> None:
    issued = issue_token(user_id=make_actor().user_id, name="API", now=clock.now() - timedelta(days=30))
    assert ask(f"Token {issued.key}").json()["code"] == "token_invalid"


def test_a_session_that_nobody_used_for_a_week_is_over_and_listed_no_more() -> None:
    actor = make_actor()
    idle, used = client_for(actor), client_for(actor)
    week = ApiToken.objects.order_by("created")[:1].values("digest")
    ApiToken.objects.filter(digest__in=week).update(last_used_at=clock.now() - timedelta(days=7, seconds=1))
    assert idle.get("/api/me/").json()["code"] == "token_invalid"
    assert len(used.get("/api/auth/sessions/").json()) == 1


def test_a_program_may_rest_for_as_long_as_its_token_lives() -> None:
    client = client_for(make_actor())
    ApiToken.objects.update(kind=TokenKind.PERSONAL, last_used_at=clock.now() - timedelta(days=80))
    assert client.get("/api/me/").status_code == 200


def test_use_is_noted_once_a_minute(django_assert_num_queries: Any) -> None:
    client = client_for(make_actor())
    ApiToken.objects.update(last_used_at=clock.now() - timedelta(minutes=2))
    # The token, the note of its use, and what the page itself asks.
    with django_assert_num_queries(5):
        client.get("/api/me/")
    with django_assert_num_queries(4):
        client.get("/api/me/")
    assert clock.now() - ApiToken.objects.get().last_used_at < timedelta(seconds=30)


def test_a_token_that_was_never_used_is_noted_as_well() -> None:
    client = client_for(make_actor())
    ApiToken.objects.update(last_used_at=None)
    client.get("/api/me/")
    assert ApiToken.objects.get().last_used_at is not None


def test_an_account_without_a_tenant_gets_nowhere_by_its_session() -> None:
    profile = Profile.objects.select_related("user").get(user_id=make_staff().user_id)
    client = anonymous()
    client.force_login(profile.user)
    profile.delete()
    response = client.get("/api/me/")
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
