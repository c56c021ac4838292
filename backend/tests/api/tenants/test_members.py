"""The people of a tenant over HTTP: who sees them, who changes what, and what it brings when somebody goes."""

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import ApiToken
from apps.accounts.types import TokenKind
from apps.common import clock
from apps.invitations.models import InvitePasskey
from apps.invitations.services import create_tenant_passkey
from apps.mail.models import OutgoingMail
from apps.observability.models import AuditEvent
from apps.tenants.models import Profile
from apps.tenants.types import Actor, Role
from tests.api_client import anonymous, client_for
from tests.factories.accounts import make_actor
from tests.factories.orchestration import begin_report, make_writer

pytestmark = pytest.mark.django_db

MEMBERS = "/api/tenant/members/"


def url(actor: Actor) -> str:
    return f"{MEMBERS}{actor.user_id}/"


def make_colleague(owner: Actor, *, role: Role = Role.MEMBER) -> Actor:
    return make_actor(tenant=owner.tenant, role=role)


def role_of(actor: Actor) -> str:
    return Profile.objects.get(user_id=actor.user_id).role


def test_everybody_in_the_tenant_is_listed_with_what_the_caller_may_do(django_assert_num_queries: Any) -> None:
    owner = make_actor(username="ada")
    colleague = make_colleague(owner)
    make_actor()
    client = client_for(owner)
    with django_assert_num_queries(4):
        rows = client.get(MEMBERS).json()["results"]
    assert [(row["id"], row["role"], row["is_you"], row["can_remove"], row["can_change_role"]) for row in rows] == [
        (str(owner.user_id), "owner", True, False, False),
        (str(colleague.user_id), "member", False, True, True),
    ]
    assert rows[0]["last_active_at"] is not None
    assert (rows[0]["username"], rows[0]["has_second_factor"]) == ("ada", False)


def test_a_member_sees_the_others_and_may_only_leave() -> None:
    colleague = make_colleague(make_actor())
    rows = client_for(colleague).get(MEMBERS).json()["results"]
    assert [(row["is_you"], row["can_remove"], row["can_change_role"]) for row in rows] == [
        (False, False, False),
        (True, True, False),
    ]


def test_strangers_see_nobody() -> None:
    owner = make_actor()
    assert anonymous().get(MEMBERS).status_code == 401
    for method in ("get", "patch", "delete"):
        assert getattr(client_for(make_actor()), method)(url(owner), {"role": "member"}).status_code == 404


def test_an_owner_makes_an_owner_and_the_person_is_told() -> None:
    owner = make_actor()
    colleague = make_colleague(owner)
    response = client_for(owner).patch(url(colleague), {"role": "owner"})
    assert (response.status_code, response.json()["role"], role_of(colleague)) == (200, "owner", "owner")
    assert OutgoingMail.objects.get(kind="member_role_changed").user_id == colleague.user_id
    event = AuditEvent.objects.get(action="member.role_changed")
    assert (event.before, event.after, event.origin) == ({"role": "member"}, {"role": "owner"}, "api")


def test_an_owner_may_step_down_while_another_stays_and_sees_themselves_as_a_member() -> None:
    owner = make_actor()
    make_colleague(owner, role=Role.OWNER)
    body = client_for(owner).patch(url(owner), {"role": "member"}).json()
    assert (body["role"], body["can_change_role"], body["can_remove"]) == ("member", False, True)


@pytest.mark.parametrize("role", ["king", "", None])
def test_an_unknown_role_is_refused(role: str | None) -> None:
    owner = make_actor()
    response = client_for(owner).patch(url(make_colleague(owner)), {"role": role})
    assert (response.status_code, list(response.json()["fields"])) == (400, ["role"])


def test_only_owners_change_roles_or_remove_others() -> None:
    owner = make_actor()
    colleague = make_colleague(owner)
    client = client_for(colleague)
    for response in (client.patch(url(owner), {"role": "member"}), client.delete(url(owner))):
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert client.post("/api/tenant/transfer/", {"member": str(colleague.user_id)}).status_code == 403
    assert client.patch("/api/tenant/", {"name": "Mine"}).status_code == 403


@pytest.mark.parametrize("method", ["patch", "delete"])
def test_the_last_owner_can_neither_step_down_nor_leave(method: str) -> None:
    owner = make_actor()
    make_colleague(owner)
    response = getattr(client_for(owner), method)(url(owner), {"role": "member"})
    assert (response.status_code, response.json()["code"]) == (409, "last_owner")
    assert role_of(owner) == "owner"


def test_these_changes_need_a_fresh_proof_and_a_session() -> None:
    owner = make_actor()
    colleague = make_colleague(owner)
    stale = client_for(owner, authenticated_at=clock.now() - timedelta(hours=1))
    personal = client_for(owner, kind=TokenKind.PERSONAL)
    for client, code in ((stale, "reauthentication_required"), (personal, "session_required")):
        answers = [
            client.patch(url(colleague), {"role": "owner"}),
            client.delete(url(colleague)),
            client.post("/api/tenant/transfer/", {"member": str(colleague.user_id)}),
        ]
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(403, code)}


@pytest.mark.failure("T17")
def test_whoever_is_removed_is_out_at_once_and_has_a_tenant_of_their_own() -> None:
    owner = make_actor()
    colleague = make_colleague(owner)
    theirs = client_for(colleague)
    assert client_for(owner).delete(url(colleague)).status_code == 204
    assert theirs.get("/api/me/").status_code == 401
    assert not ApiToken.objects.filter(user_id=colleague.user_id).exists()
    body = client_for(colleague).get("/api/me/").json()
    assert (body["role"], body["tenant"]["id"] != str(owner.tenant)) == ("owner", True)
    assert client_for(colleague).get("/api/billing/reserve/balance/").json()["balance_micros"] == 0


@pytest.mark.failure("T17")
def test_the_jobs_of_whoever_is_removed_are_cancelled_and_their_money_comes_back() -> None:
    writer = make_writer(entries=1)
    second = make_colleague(writer, role=Role.OWNER)
    job = begin_report(writer)
    client_for(second).delete(url(writer))
    job.refresh_from_db()
    balance = client_for(second).get("/api/billing/reserve/balance/").json()
    assert (job.state, balance["held_micros"]) == ("cancelled", 0)


def test_the_person_and_the_owners_are_told_about_a_departure() -> None:
    owner = make_actor()
    colleague = make_colleague(owner)
    client_for(colleague).delete(url(colleague))
    told = {(mail.kind, mail.user_id) for mail in OutgoingMail.objects.all()}
    assert told >= {("member_removed", colleague.user_id), ("member_left", owner.user_id)}
    assert AuditEvent.objects.filter(tenant_id=owner.tenant, action="member.left").count() == 1


def test_the_invite_passkeys_of_whoever_leaves_are_dead() -> None:
    owner = make_actor()
    colleague = make_colleague(owner, role=Role.OWNER)
    create_tenant_passkey(actor=colleague, role=Role.OWNER, now=clock.now())
    client_for(owner).delete(url(colleague))
    assert InvitePasskey.objects.get().revoked_at is not None


def test_what_a_departure_means_is_told_before_it_is_confirmed() -> None:
    writer = make_writer(entries=2)
    owner = make_colleague(writer, role=Role.OWNER)
    own = client_for(writer).get(url(writer)).json()["consequences"]
    assert "Nobody will see your 2 private entries any more, you included: export first." in own
    assert not any(" 0 " in line for line in own)
    others = client_for(owner).get(url(writer)).json()["consequences"]
    assert "Private entries stay too, and nobody will see them." in others


def test_ownership_changes_hands() -> None:
    owner = make_actor()
    colleague = make_colleague(owner)
    response = client_for(owner).post("/api/tenant/transfer/", {"member": str(colleague.user_id)})
    assert (response.status_code, response.json()["id"], response.json()["role"]) == (
        200,
        str(colleague.user_id),
        "owner",
    )
    assert (role_of(owner), role_of(colleague)) == ("member", "owner")


def test_ownership_does_not_go_to_a_stranger_nor_to_oneself() -> None:
    owner = make_actor()
    for heir in (make_actor(), owner):
        response = client_for(owner).post("/api/tenant/transfer/", {"member": str(heir.user_id)})
        assert (response.status_code, list(response.json()["fields"])) == (400, ["member"])


def test_the_tenant_has_a_name_that_its_owners_change() -> None:
    owner = make_actor()
    make_colleague(owner)
    client = client_for(owner)
    assert client.patch("/api/tenant/", {"name": "Analytical Engines"}).status_code == 200
    body = client.get("/api/tenant/").json()
    assert (body["id"], body["name"], body["member_count"]) == (str(owner.tenant), "Analytical Engines", 2)
    assert client.patch("/api/tenant/", {"name": " "}).status_code == 400
    assert anonymous().get("/api/tenant/").status_code == 401
    assert AuditEvent.objects.get(action="tenant.renamed").after == {"name": "Analytical Engines"}
