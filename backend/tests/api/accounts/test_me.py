"""One's own profile over HTTP."""

from typing import Any

import pytest

from tests.api_client import anonymous, client_for
from tests.factories.accounts import make_actor

pytestmark = pytest.mark.django_db


def test_a_person_sees_themselves_with_profile_and_plan() -> None:
    actor = make_actor(username="ada", time_zone="Europe/Zurich")
    body = client_for(actor).get("/api/me/").json()
    assert (body["id"], body["username"], body["role"]) == (str(actor.user_id), "ada", "owner")
    assert body["profile"] == {"display_name": "", "time_zone": "Europe/Zurich", "settings": {}}
    assert set(body) >= {"plan", "stripe_customer_id", "created_at", "tenant", "email", "is_staff"}


def test_nobody_sees_anything_without_a_token() -> None:
    response = anonymous().get("/api/me/")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Token"


def test_name_and_time_zone_can_be_changed() -> None:
    client = client_for(make_actor())
    response = client.patch("/api/me/", {"display_name": "Ada", "time_zone": "Asia/Tokyo"})
    assert response.status_code == 200
    assert client.get("/api/me/").json()["profile"] == {
        "display_name": "Ada",
        "time_zone": "Asia/Tokyo",
        "settings": {},
    }


def test_nothing_else_can_be_changed() -> None:
    client = client_for(make_actor())
    before = client.get("/api/me/").json()
    wishes = {"email": "eve@example.org", "is_staff": True, "role": "member", "username": "eve", "plan": "enterprise"}
    assert client.patch("/api/me/", wishes).status_code == 200
    assert client.get("/api/me/").json() == before


@pytest.mark.parametrize(
    "change", [{"time_zone": "Mars/Olympus"}, {"display_name": "x" * 151}, {"time_zone": None}, {"time_zone": 7}]
)
def test_a_change_that_breaks_a_rule_is_refused_by_field(change: dict[str, Any]) -> None:
    response = client_for(make_actor()).patch("/api/me/", change)
    assert response.status_code == 400
    assert (response.json()["code"], list(response.json()["fields"])) == ("invalid", list(change))


def test_seeing_oneself_costs_two_queries(django_assert_num_queries: Any) -> None:
    client = client_for(make_actor())
    # The token with person and tenant, the billing profile.
    with django_assert_num_queries(2):
        client.get("/api/me/")
