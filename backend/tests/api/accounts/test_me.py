"""One's own profile over HTTP."""

from typing import Any

import pytest

from apps.observability.models import AuditEvent
from tests.api_client import anonymous, client_for
from tests.factories.accounts import make_actor, make_staff

pytestmark = pytest.mark.django_db


def test_a_person_sees_themselves_with_profile_and_plan() -> None:
    actor = make_actor(username="ada", time_zone="Europe/Zurich")
    body = client_for(actor).get("/api/me/").json()
    assert (body["id"], body["username"], body["role"]) == (str(actor.user_id), "ada", "owner")
    assert body["profile"] == {
        "display_name": "",
        "time_zone": "Europe/Zurich",
        "settings": {},
        "notifications": {"weekly_nudge": True, "low_balance": True, "report_ready": True, "product_news": False},
    }
    assert (body["is_email_verified"], body["pending_email"], body["deletion"]) == (False, "", None)
    assert body["second_factor"] == {"is_on": False, "is_required": False}
    assert set(body) >= {"plan", "stripe_customer_id", "created_at", "tenant", "email", "is_staff"}


def test_nobody_sees_anything_without_a_token() -> None:
    response = anonymous().get("/api/me/")
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Token"


def test_name_and_time_zone_can_be_changed() -> None:
    client = client_for(make_actor())
    response = client.patch("/api/me/", {"display_name": "Ada", "time_zone": "Asia/Tokyo"})
    assert response.status_code == 200
    profile = client.get("/api/me/").json()["profile"]
    assert (profile["display_name"], profile["time_zone"]) == ("Ada", "Asia/Tokyo")


def test_notifications_are_chosen_one_by_one() -> None:
    client = client_for(make_actor())
    client.patch("/api/me/", {"notifications": {"weekly_nudge": False}})
    chosen = client.patch("/api/me/", {"notifications": {"product_news": True}}).json()["profile"]["notifications"]
    assert chosen == {"weekly_nudge": False, "low_balance": True, "report_ready": True, "product_news": True}


def test_a_change_is_written_down_without_the_name_itself() -> None:
    actor = make_actor()
    client_for(actor).patch("/api/me/", {"display_name": "Ada Lovelace", "time_zone": "Asia/Tokyo"})
    audit = AuditEvent.objects.get(action="profile.changed")
    assert (audit.tenant_id, audit.actor_id) == (actor.tenant, actor.user_id)
    assert audit.before == {"time_zone": "UTC", "notifications": {}}
    assert audit.after == {"time_zone": "Asia/Tokyo", "notifications": {}, "is_renamed": True}


def test_saving_what_is_there_already_is_no_change() -> None:
    client = client_for(make_actor())
    client.patch("/api/me/", {"time_zone": "UTC"})
    assert not AuditEvent.objects.filter(action="profile.changed").exists()


def test_staff_are_told_that_a_second_factor_is_required() -> None:
    assert client_for(make_staff()).get("/api/me/").json()["second_factor"] == {"is_on": False, "is_required": True}


@pytest.mark.failure("T03")
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


def test_seeing_oneself_costs_four_queries(django_assert_num_queries: Any) -> None:
    client = client_for(make_actor())
    # The token with person and tenant, the billing profile, the second factors, a deletion that is scheduled.
    with django_assert_num_queries(4):
        client.get("/api/me/")
