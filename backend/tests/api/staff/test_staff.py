"""What staff see and do: with a reason, on record, never to a superuser, and never anything secret."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import ApiToken, User
from apps.accounts.types import TokenKind
from apps.api.permissions import IsStaff
from apps.common import clock
from apps.invitations.services import create_tenant_passkey
from apps.mail.models import OutgoingMail
from apps.mfa.selectors import has_second_factor
from apps.observability.models import AuditEvent
from apps.tenants.services.support import open_grant
from apps.tenants.types import Actor, GrantScope, Role
from tests.api_client import anonymous, client_for
from tests.architecture.test_addresses import build_address, get_view, list_endpoints, list_patterns
from tests.factories.accounts import make_actor, make_staff
from tests.factories.orchestration import begin_report, make_writer, work

pytestmark = pytest.mark.django_db

USERS = "/api/admin/users/"
TENANTS = "/api/admin/tenants/"
WHY = {"reason": "Asked by phone"}
# No member of an answer to staff may be called so; `passkey` is the one thing that is shown when it is made.
SECRET_NAMES = ("digest", "password", "secret", "sealed", "token_key", "key_hash", "totp", "body", "title", "document")


def url(actor: Actor, act: str = "") -> str:
    return f"{USERS}{actor.user_id}/{act}"


def make_boss() -> Actor:
    return make_actor(is_staff=True, is_superuser=True)


def test_people_are_listed_the_newest_first(django_assert_num_queries: Any) -> None:
    staff, ada = make_staff(), make_actor(username="ada")
    client_for(ada)
    client_for(ada, kind=TokenKind.PERSONAL)
    client = client_for(staff)
    with django_assert_num_queries(4):
        rows = client.get(USERS).json()["results"]
    row = rows[0]
    assert (row["username"], row["tenant"]["id"], row["role"]) == ("ada", str(ada.tenant), "owner")
    assert (row["session_count"], row["token_count"], row["has_second_factor"]) == (1, 1, False)
    assert (row["can_change_active"], row["can_change_staff"], row["can_help"]) == (True, False, True)
    assert client.get(url(ada)).json() == row


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=ADA", {"ada"}),
        ("q=lovelace.org", {"ada"}),
        ("q=nobody", set()),
        ("is_staff=true", {"grace"}),
        ("is_active=false", {"alan"}),
        ("is_staff=false&is_active=true", {"ada"}),
    ],
)
def test_people_are_found(query: str, expected: set[str]) -> None:
    staff = make_staff(username="grace")
    make_actor(username="ada", email="ada@lovelace.org")
    User.objects.filter(id=make_actor(username="alan").user_id).update(is_active=False)
    rows = client_for(staff).get(f"{USERS}?{query}").json()["results"]
    assert {row["username"] for row in rows} == expected


def list_staff_endpoints() -> list[tuple[str, str]]:
    """Every address that is for staff, by the permission of its view."""
    views = {str(pattern.name): get_view(pattern) for pattern in list_patterns()}
    return [(method, name) for method, name in list_endpoints() if IsStaff in views[name].permission_classes]


@pytest.mark.failure("T11")
@pytest.mark.parametrize(("method", "name"), list_staff_endpoints())
def test_every_staff_address_is_shut_to_all_but_staff_with_a_second_factor(method: str, name: str) -> None:
    address, staff = build_address(name), make_staff()
    answers = [
        getattr(client, method)(address, {}, headers={"Idempotency-Key": "k"})
        for client in (
            anonymous(),
            client_for(make_actor()),
            client_for(staff, kind=TokenKind.PERSONAL),
            client_for(staff, has_second_factor=False),
        )
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (401, "not_authenticated"),
        (403, "forbidden"),
        (403, "session_required"),
        (403, "second_factor_required"),
    ]


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names_in(item)


@pytest.mark.failure("T11")
@pytest.mark.parametrize("name", sorted(name for method, name in list_staff_endpoints() if method == "get"))
def test_no_answer_to_staff_holds_a_secret_or_what_somebody_wrote(name: str) -> None:
    writer, staff = make_writer(entries=2), make_staff()
    work(begin_report(writer, title="Secret of the marker"))
    create_tenant_passkey(actor=writer, now=clock.now())
    open_grant(actor=writer, reason="Help", scopes=[GrantScope.WORKLOG], minutes=5, now=clock.now())
    ids = {"user_id": writer.user_id, "tenant_id": writer.tenant}
    address = build_address(name)
    for known in ids.values():
        response = client_for(staff).get(address.replace(build_address(name).split("/")[-2], str(known)))
        text = response.content.decode()
        assert [word for word in names_in(response.json()) if word in SECRET_NAMES] == []
        assert "Secret of the marker" not in text
        assert "Cut invoice run" not in text
        for user in User.objects.all():
            assert user.password not in text
        for token in ApiToken.objects.all():
            assert token.digest not in text


def test_an_account_is_closed_with_a_reason_and_its_tokens_end() -> None:
    ada = make_actor()
    theirs = client_for(ada)
    response = client_for(make_staff()).patch(url(ada), {"is_active": False, **WHY})
    assert (response.status_code, response.json()["is_active"]) == (200, False)
    assert theirs.get("/api/me/").status_code == 401
    event = AuditEvent.objects.get(action="user.deactivated")
    assert (event.reason, event.origin) == ("Asked by phone", "api")


def test_superusers_make_and_unmake_staff_and_others_do_not() -> None:
    ada = make_actor()
    response = client_for(make_staff()).patch(url(ada), {"is_staff": True, **WHY})
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert client_for(make_boss()).patch(url(ada), {"is_staff": True, **WHY}).json()["is_staff"] is True
    assert AuditEvent.objects.get(action="user.staff_given").reason == "Asked by phone"


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_nobody_changes_this_about_themselves(change: dict[str, bool]) -> None:
    boss = make_boss()
    assert client_for(boss).patch(url(boss), {**change, **WHY}).status_code == 403
    assert User.objects.get(id=boss.user_id).is_active


@pytest.mark.failure("T11")
def test_a_superuser_is_out_of_reach_of_other_staff() -> None:
    boss, client = make_boss(), client_for(make_staff())
    answers = [
        client.patch(url(boss), {"is_active": False, **WHY}),
        client.post(url(boss, "password-reset/"), WHY),
        client.post(url(boss, "revoke-tokens/"), WHY),
        client.post(url(boss, "second-factor/reset/"), WHY),
    ]
    assert [answer.status_code for answer in answers] == [403] * 4
    assert client.get(url(boss)).json()["can_help"] is False
    assert client_for(make_boss()).post(url(boss, "revoke-tokens/"), WHY).status_code == 200


def test_each_act_is_on_record_with_its_reason() -> None:
    ada, client = make_actor(), client_for(make_staff())
    client_for(ada)
    assert client.post(url(ada, "password-reset/"), WHY).status_code == 202
    assert client.post(url(ada, "revoke-tokens/"), WHY).json()["session_count"] == 0
    assert client.post(url(ada, "second-factor/reset/"), WHY).json()["has_second_factor"] is False
    assert OutgoingMail.objects.get(kind="password_reset").user_id == ada.user_id
    kept = AuditEvent.objects.filter(target_id=str(ada.user_id), reason="Asked by phone")
    assert {event.action for event in kept} >= {"password.reset_sent", "tokens.revoked_all"}
    assert not has_second_factor(user_id=ada.user_id)


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"is_active": "perhaps", **WHY}])
def test_a_change_without_a_reason_or_sense_is_refused(body: dict[str, Any]) -> None:
    assert client_for(make_staff()).patch(url(make_actor()), body).status_code == 400


def test_dangerous_acts_need_a_fresh_proof() -> None:
    stale = client_for(make_staff(), authenticated_at=clock.now() - timedelta(hours=1))
    ada = make_actor()
    for answer in (stale.patch(url(ada), WHY), stale.post(url(ada, "second-factor/reset/"), WHY)):
        assert answer.json()["code"] == "reauthentication_required"


def test_a_person_that_does_not_exist_is_not_found() -> None:
    client, address = client_for(make_boss()), f"{USERS}019ab0ef-0000-7000-8000-000000000000/"
    assert client.get(address).status_code == client.patch(address, WHY).status_code == 404


def test_customers_are_listed_with_owner_plan_and_balance(django_assert_num_queries: Any) -> None:
    writer = make_writer(credit_micros=5_000_000, entries=0)
    make_actor(username="zoe", tenant=writer.tenant, role=Role.MEMBER)
    client = client_for(make_staff())
    with django_assert_num_queries(5):
        rows = client.get(TENANTS).json()["results"]
    row = next(row for row in rows if row["id"] == str(writer.tenant))
    assert (row["member_count"], row["owner"]["id"], row["plan"]) == (2, str(writer.user_id), "free")
    assert row["balance_micros"] == 5_000_000
    detail = client.get(f"{TENANTS}{writer.tenant}/").json()
    assert [member["role"] for member in detail["members"]] == ["owner", "member"]
    assert {name: detail[name] for name in row} == row
    assert client.get(f"{TENANTS}{writer.user_id}/").status_code == 404


def test_a_customer_is_found_by_part_of_the_name_or_by_id() -> None:
    ada = make_actor(username="ada")
    client = client_for(make_staff())
    for query in ("TENANT OF ADA", str(ada.tenant)):
        rows = client.get(TENANTS, {"q": query}).json()["results"]
        assert [row["id"] for row in rows] == [str(ada.tenant)]
