"""Support access: granted by a person, used by staff for reading only, seen by the person, over when they say so."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from apps.accounts.models import ApiToken, User
from apps.accounts.types import TokenKind
from apps.api.support import find_scope
from apps.common import clock
from apps.common.ids import uuid7
from apps.mail.models import OutgoingMail
from apps.observability.models import AuditEvent
from apps.orchestration.members import remove_member
from apps.tenants.models import SupportAccess
from apps.tenants.services.support import open_grant, revoke_grant
from apps.tenants.types import Actor, GrantScope, Role
from tests.api_client import Client, anonymous, client_for
from tests.architecture.test_addresses import build_address, list_endpoints
from tests.factories.accounts import make_actor, make_staff
from tests.factories.orchestration import begin_report, make_writer
from tests.factories.payments import make_checkout

pytestmark = pytest.mark.django_db

GRANTS = "/api/tenant/support-grants/"
WISH = {"reason": "My report does not finish", "scopes": ["worklog", "reports"], "minutes": 30}


def grant(actor: Actor, *scopes: GrantScope, minutes: int = 30) -> UUID:
    areas = scopes or tuple(GrantScope)
    return open_grant(actor=actor, reason="Help", scopes=areas, minutes=minutes, now=clock.now()).id


def look(client: Client, grant_id: object, path: str = "/api/worklogs/", method: str = "get") -> Any:
    return getattr(client, method)(path, headers={"X-Support-Grant": str(grant_id)})


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


OPENED = {
    ("worklog", "worklog-list"),
    ("worklog", "worklog-defaults"),
    ("worklog", "worklog-detail"),
    ("worklog", "worklog-versions"),
    ("worklog", "employer-list"),
    ("worklog", "project-list"),
    ("worklog", "tag-list"),
    ("reports", "report-list"),
    ("reports", "report-detail"),
    ("reports", "report-export"),
    ("reports", "job-list"),
    ("reports", "job-detail"),
    ("reports", "job-events"),
    ("billing", "billing-balance"),
    ("billing", "billing-ledger"),
    ("billing", "billing-usage"),
    ("billing", "billing-ledger-export"),
    ("billing", "billing-usage-event"),
    ("billing", "billing-profile"),
    ("billing", "billing-plans"),
    ("billing", "billing-payments"),
    ("billing", "billing-payment"),
    ("billing", "billing-invoices"),
    ("billing", "billing-invoice-pdf"),
}
REFUSED = (403, "support_grant_invalid")


def test_a_person_grants_and_sees_their_grants() -> None:
    client = client_for(make_actor(username="ada"))
    response = client.post(GRANTS, WISH)
    body = response.json()
    assert (response.status_code, body["state"], body["scopes"]) == (201, "open", ["reports", "worklog"])
    assert (body["granted_by"]["username"], body["access_count"]) == ("ada", 0)
    assert client.get(GRANTS).json()["results"] == [body]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": {"worklog": "reports"}}, "scopes"),
        ({"minutes": 4}, "minutes"),
        ({"minutes": 1441}, "minutes"),
    ],
)
def test_a_grant_without_sense_is_refused(change: dict[str, Any], field: str) -> None:
    response = client_for(make_actor()).post(GRANTS, {**WISH, **change})
    assert (response.status_code, [name.split(".")[0] for name in response.json()["fields"]]) == (400, [field])


def test_granting_needs_a_fresh_proof_and_taking_back_does_not() -> None:
    actor = make_actor()
    stale = client_for(actor, authenticated_at=clock.now() - timedelta(hours=1))
    assert stale.post(GRANTS, WISH).json()["code"] == "reauthentication_required"
    assert stale.post(f"{GRANTS}{grant(actor)}/revoke/").json()["state"] == "revoked"


def test_members_see_their_own_grants_owners_all_and_strangers_none() -> None:
    owner = make_actor()
    member = make_actor(tenant=owner.tenant, role=Role.MEMBER)
    grant_id = grant(owner)
    counts = [len(client_for(actor).get(GRANTS).json()["results"]) for actor in (owner, member, make_actor())]
    assert counts == [1, 0, 0]
    for address in (f"{GRANTS}{grant_id}/revoke/", f"{GRANTS}{grant_id}/accesses/"):
        method = "post" if address.endswith("revoke/") else "get"
        assert getattr(client_for(member), method)(address).status_code == 404
        assert getattr(client_for(make_actor()), method)(address).status_code == 404
        assert getattr(anonymous(), method)(address).status_code == 401


def test_a_grant_is_taken_back_once() -> None:
    actor = make_actor()
    address = f"{GRANTS}{grant(actor)}/revoke/"
    client = client_for(actor)
    assert [code_of(client.post(address)) for _ in range(2)] == [(200, ""), (409, "wrong_state")]


@pytest.mark.failure("T11")
def test_staff_see_what_the_person_sees_and_nothing_more() -> None:
    writer = make_writer(entries=2)
    job = begin_report(writer)
    colleague = make_actor(tenant=writer.tenant, role=Role.MEMBER)
    client, grant_id = client_for(make_staff()), grant(writer)
    own = client_for(writer)
    for path in (
        "/api/worklogs/",
        f"/api/jobs/{job.pk}/",
        "/api/reports/",
        "/api/billing/reserve/balance/",
        "/api/tags/",
    ):
        assert look(client, grant_id, path).json() == own.get(path).json()
    assert look(client, grant(colleague)).json()["results"] == []


@pytest.mark.failure("T11")
def test_each_look_is_kept_where_the_person_sees_it_and_the_first_is_told() -> None:
    writer, staff = make_writer(entries=1), make_staff(username="grace")
    grant_id = grant(writer)
    for _ in range(2):
        look(client_for(staff), grant_id)
    rows = client_for(writer).get(f"{GRANTS}{grant_id}/accesses/").json()["results"]
    assert [(row["staff"]["username"], row["method"], row["path"]) for row in rows] == [
        ("grace", "GET", "/api/worklogs/")
    ] * 2
    assert client_for(writer).get(GRANTS).json()["results"][0]["access_count"] == 2
    assert OutgoingMail.objects.get(kind="support_access_used").user_id == writer.user_id
    used = AuditEvent.objects.filter(action="support_grant.used", tenant_id=writer.tenant)
    assert {(event.actor_id, event.on_behalf_of_id) for event in used} == {(staff.user_id, writer.user_id)}
    assert used.count() == 2


@pytest.mark.failure("T11")
@pytest.mark.parametrize("method", ["post", "patch", "put", "delete", "options"])
def test_nothing_is_changed_by_a_grant(method: str) -> None:
    assert code_of(look(client_for(make_staff()), grant(make_actor()), method=method)) == REFUSED
    assert not SupportAccess.objects.exists()


@pytest.mark.failure("T11")
def test_a_grant_opens_its_own_areas_only() -> None:
    client = client_for(make_staff())
    grant_id = grant(make_actor(), GrantScope.BILLING)
    paths = ("/api/worklogs/", "/api/me/", "/api/tenant/members/", "/api/admin/users/", "/api/tenant/audit/")
    assert {code_of(look(client, grant_id, path)) for path in paths} == {REFUSED}
    assert look(client, grant_id, "/api/billing/reserve/ledger/").status_code == 200


@pytest.mark.failure("T11")
def test_only_staff_in_a_session_with_a_second_factor_may_use_one() -> None:
    staff, grant_id = make_staff(), grant(make_actor())
    clients = [
        client_for(make_actor()),
        client_for(staff, has_second_factor=False),
        client_for(staff, kind=TokenKind.PERSONAL),
    ]
    assert [code_of(look(client, grant_id)) for client in clients] == [REFUSED] * 3
    assert look(anonymous(), grant_id).status_code == 401


def test_the_session_of_django_admin_cannot_use_one() -> None:
    session = Client()
    session.force_login(User.objects.get(pk=make_staff().user_id))
    assert code_of(look(session, grant(make_actor()))) == REFUSED


@pytest.mark.failure("T11")
@pytest.mark.parametrize("grant_id", [uuid7(), "not-an-id", ""])
def test_a_grant_that_is_none_opens_nothing(grant_id: object) -> None:
    assert code_of(look(client_for(make_staff()), grant_id)) == REFUSED


@pytest.mark.failure("T11", "T17")
def test_a_grant_ends_when_it_is_taken_back_when_its_time_is_up_and_when_the_person_goes() -> None:
    owner = make_actor()
    member = make_actor(tenant=owner.tenant, role=Role.MEMBER)
    client = client_for(make_staff())
    revoked, left = grant(owner), grant(member)
    assert look(client, revoked).status_code == look(client, left).status_code == 200
    expired = open_grant(
        actor=owner, reason="Help", scopes=tuple(GrantScope), minutes=5, now=clock.now() - timedelta(minutes=6)
    ).id
    revoke_grant(actor=owner, grant_id=revoked, now=clock.now())
    remove_member(actor=owner, user_id=member.user_id, now=clock.now())
    assert [code_of(look(client, one)) for one in (revoked, left, expired)] == [REFUSED] * 3


def test_a_look_leaves_no_trace_in_the_customers_own_use() -> None:
    writer = make_writer(entries=1)
    client_for(writer)
    before = ApiToken.objects.get(user_id=writer.user_id).last_used_at
    look(client_for(make_staff()), grant(writer))
    assert ApiToken.objects.get(user_id=writer.user_id).last_used_at == before


def test_staff_are_shown_the_open_grants() -> None:
    owner = make_actor(username="ada")
    grant(owner)
    revoke_grant(actor=owner, grant_id=grant(owner), now=clock.now())
    rows = client_for(make_staff()).get("/api/admin/support-grants/").json()["results"]
    assert [(row["granted_by"]["username"], row["tenant"]["id"]) for row in rows] == [("ada", str(owner.tenant))]


@pytest.mark.failure("T11")
def test_support_sees_payments_but_not_the_page_where_they_can_be_paid() -> None:
    owner = make_actor()
    payment = make_checkout(owner.tenant)
    client, grant_id = client_for(make_staff()), grant(owner)
    listed = look(client, grant_id, "/api/billing/payments/").json()["results"][0]
    shown = look(client, grant_id, f"/api/billing/payments/{payment.id}/").json()
    assert (listed, shown["state"], shown["checkout_url"]) == (shown, "open", None)
    assert client_for(owner).get(f"/api/billing/payments/{payment.id}/").json()["checkout_url"] is not None


@pytest.mark.failure("T11")
def test_every_address_that_a_grant_opens_was_decided_upon() -> None:
    opened = {
        (scope.value, name)
        for method, name in list_endpoints()
        if method == "get" and (scope := find_scope(build_address(name)))
    }
    assert opened == OPENED


def test_lists_of_grants_and_looks_take_few_queries(django_assert_num_queries: Any) -> None:
    owner, staff = make_actor(), client_for(make_staff())
    grant_ids = [grant(owner) for _ in range(3)]
    for _ in range(3):
        look(staff, grant_ids[0])
    client = client_for(owner)
    with django_assert_num_queries(2):
        assert len(client.get(GRANTS).json()["results"]) == 3
    with django_assert_num_queries(3):
        assert len(client.get(f"{GRANTS}{grant_ids[0]}/accesses/").json()["results"]) == 3
    with django_assert_num_queries(2):
        assert len(staff.get("/api/admin/support-grants/").json()["results"]) == 3
