"""Invite passkeys over HTTP: staff only."""

from datetime import timedelta
from typing import Any

import pytest

from apps.common import clock
from apps.common.ids import uuid7
from apps.invitations.models import InvitePasskey
from apps.invitations.services import create_passkey
from tests.api_client import anonymous, client_for, with_key
from tests.factories.accounts import make_actor, make_staff

pytestmark = pytest.mark.django_db

LIST = "/api/admin/passkeys/"


def test_staff_make_a_key_that_is_shown_once() -> None:
    client, tenant = client_for(make_staff()), make_actor().tenant
    terms = {"note": "for Ada", "promo_credit_cents": 500, "tenant": str(tenant), "role": "member"}
    response = client.post(LIST, {**terms, "bound_email": "Ada@Example.org"})
    assert response.status_code == 201
    body = response.json()
    raw = body.pop("passkey")
    assert client.get(f"{LIST}{body['id']}/").json() == body
    assert raw.startswith(body["prefix"])
    assert (body["state"], body["promo_credit_cents"], body["role"]) == ("active", 500, "member")
    assert (body["tenant"]["id"], body["bound_email"], body["used_by"]) == (str(tenant), "ada@example.org", None)


def test_a_repeated_call_makes_one_key_and_does_not_store_it() -> None:
    client = client_for(make_staff())
    first, second = (client.post(LIST, {"note": "once"}, **with_key("k1")) for _ in range(2))
    assert (second.status_code, second["Idempotent-Replayed"]) == (201, "true")
    assert second.json() == {**first.json(), "passkey": ""}
    assert InvitePasskey.objects.count() == 1


def test_keys_are_listed_by_state() -> None:
    create_passkey(actor=None, note="active", now=clock.now())
    create_passkey(
        actor=None, note="expired", expires_at=clock.now() - timedelta(days=1), now=clock.now() - timedelta(days=2)
    )
    client = client_for(make_staff())
    assert [key["note"] for key in client.get(LIST).json()["results"]] == ["expired", "active"]
    assert [key["note"] for key in client.get(f"{LIST}?state=expired").json()["results"]] == ["expired"]


def test_a_key_is_revoked_once() -> None:
    view, _ = create_passkey(actor=None, now=clock.now())
    client = client_for(make_staff())
    assert client.post(f"{LIST}{view.id}/revoke/").json()["state"] == "revoked"
    response = client.post(f"{LIST}{view.id}/revoke/")
    assert (response.status_code, response.json()["code"]) == (409, "wrong_state")


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"promo_credit_cents": -1}, "promo_credit_cents"),
        ({"promo_credit_cents": 10**12}, "promo_credit_cents"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"bound_email": "nobody"}, "bound_email"),
        ({"tenant": str(uuid7()), "role": "owner"}, "tenant"),
        ({"role": "owner"}, "role"),
        ({"note": "x" * 201}, "note"),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_field(terms: dict[str, Any], field: str) -> None:
    response = client_for(make_staff()).post(LIST, terms)
    assert response.status_code == 400
    assert list(response.json()["fields"]) == [field]


def test_an_unknown_state_is_refused() -> None:
    response = client_for(make_staff()).get(f"{LIST}?state=lost")
    assert (response.status_code, list(response.json()["fields"])) == (400, ["state"])


@pytest.mark.parametrize(("method", "suffix"), [("get", ""), ("post", ""), ("get", "{}/"), ("post", "{}/revoke/")])
def test_others_have_no_business_here(method: str, suffix: str) -> None:
    view, _ = create_passkey(actor=None, now=clock.now())
    address = LIST + suffix.format(view.id)
    assert getattr(anonymous(), method)(address).status_code == 401
    assert getattr(client_for(make_actor()), method)(address).status_code == 403


def test_an_unknown_key_is_not_found() -> None:
    client = client_for(make_staff())
    assert client.get(f"{LIST}{uuid7()}/").status_code == 404
    assert client.post(f"{LIST}{uuid7()}/revoke/").status_code == 404


def test_the_list_costs_two_queries_however_long(django_assert_num_queries: Any) -> None:
    staff = make_staff()
    for _ in range(3):
        create_passkey(actor=staff, now=clock.now())
    client = client_for(staff)
    # The token, the keys with their people and tenants.
    with django_assert_num_queries(2):
        client.get(LIST)
