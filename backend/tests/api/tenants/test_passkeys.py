"""Invite passkeys that owners make for their own tenant."""

from typing import Any

import pytest

from apps.accounts.types import TokenKind
from apps.common import clock
from apps.common.tenancy import TenantId
from apps.invitations.services import create_passkey, create_tenant_passkey
from apps.tenants.models import Profile
from apps.tenants.types import Role
from tests.api_client import anonymous, client_for, with_key
from tests.factories.accounts import PASSWORD, make_actor, make_staff

pytestmark = pytest.mark.django_db

LIST = "/api/tenant/passkeys/"


def test_an_owners_key_leads_into_their_tenant_and_brings_no_credit() -> None:
    owner = make_actor()
    terms = {"note": "for Grace", "promo_credit_cents": 500, "tenant": str(make_actor().tenant)}
    body = client_for(owner).post(LIST, terms).json()
    assert (body["tenant"]["id"], body["role"], body["promo_credit_cents"]) == (str(owner.tenant), "member", 0)
    person = {"username": "grace", "email": "grace@example.org", "password": PASSWORD, "passkey": body["passkey"]}
    assert anonymous().post("/api/auth/signup/", person).status_code == 201
    profile = Profile.objects.get(user__username="grace")
    assert (TenantId(profile.tenant_id), profile.role) == (owner.tenant, "member")


def test_the_key_is_shown_once() -> None:
    client = client_for(make_actor())
    first, second = (client.post(LIST, {}, **with_key("k1")) for _ in range(2))
    assert first.json()["passkey"].startswith("inv_")
    assert second.json() == {**first.json(), "passkey": ""}


def test_owners_see_all_keys_into_their_tenant_and_no_others(django_assert_num_queries: Any) -> None:
    owner = make_actor()
    create_passkey(actor=make_staff(), tenant=owner.tenant, role=Role.MEMBER, note="by staff", now=clock.now())
    create_tenant_passkey(actor=make_actor(), note="elsewhere", now=clock.now())
    create_passkey(actor=None, note="to anywhere", now=clock.now())
    client = client_for(owner)
    client.post(LIST, {"note": "mine"})
    with django_assert_num_queries(2):
        assert [key["note"] for key in client.get(LIST).json()["results"]] == ["mine", "by staff"]
    assert client.get(f"{LIST}?state=used").json()["results"] == []


def test_a_key_is_revoked_once_and_only_by_an_owner_of_its_tenant() -> None:
    owner = make_actor()
    view, _ = create_tenant_passkey(actor=owner, now=clock.now())
    address = f"{LIST}{view.id}/revoke/"
    assert client_for(make_actor()).post(address).status_code == 404
    client = client_for(owner)
    assert client.post(address).json()["state"] == "revoked"
    assert client.post(address).json()["code"] == "wrong_state"


def test_members_and_programs_have_no_say() -> None:
    owner = make_actor()
    view, _ = create_tenant_passkey(actor=owner, now=clock.now())
    addresses = [("get", LIST), ("post", LIST), ("post", f"{LIST}{view.id}/revoke/")]
    member = client_for(make_actor(tenant=owner.tenant, role=Role.MEMBER))
    program = client_for(owner, kind=TokenKind.PERSONAL)
    for method, address in addresses:
        assert getattr(member, method)(address).json()["code"] == "forbidden"
        assert getattr(program, method)(address).json()["code"] == "session_required"
        assert getattr(anonymous(), method)(address).status_code == 401


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"role": "king"}, "role"),
        ({"bound_email": "nobody"}, "bound_email"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_terms_that_make_no_sense_are_refused(terms: dict[str, str], field: str) -> None:
    response = client_for(make_actor()).post(LIST, terms)
    assert (response.status_code, list(response.json()["fields"])) == (400, [field])
