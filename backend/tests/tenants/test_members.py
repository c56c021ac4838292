"""Services of members and support grants, where the API does not lead."""

import pytest

from apps.api.support import find_scope
from apps.common import clock
from apps.common.errors import Forbidden, Invalid, NotFound
from apps.common.states import WrongState
from apps.observability.models import AuditEvent
from apps.orchestration.members import remove_member
from apps.tenants.services import members
from apps.tenants.services.support import open_grant, revoke_grant
from apps.tenants.types import GrantScope, NotHere, OwnersOnly, Role
from tests.factories.accounts import make_actor

pytestmark = pytest.mark.django_db


def test_giving_a_role_that_somebody_has_changes_nothing_and_is_the_owners_all_the_same() -> None:
    owner = make_actor()
    member = make_actor(tenant=owner.tenant, role=Role.MEMBER)
    now = clock.now()
    assert members.change_role(actor=owner, user_id=member.user_id, role=Role.MEMBER, now=now) is False
    with pytest.raises(OwnersOnly):
        members.change_role(actor=member, user_id=member.user_id, role=Role.MEMBER, now=now)
    assert not AuditEvent.objects.filter(action="member.role_changed").exists()


def test_giving_a_tenant_the_name_that_it_has_leaves_no_row() -> None:
    owner = make_actor(username="ada")
    members.rename_tenant(actor=owner, name="Tenant of ada", now=clock.now())
    assert not AuditEvent.objects.filter(action="tenant.renamed").exists()


@pytest.mark.failure("T17")
def test_somebody_who_has_just_left_can_do_nothing_with_what_they_knew() -> None:
    owner = make_actor()
    gone = make_actor(tenant=owner.tenant, role=Role.OWNER)
    remove_member(actor=owner, user_id=gone.user_id, now=clock.now())
    with pytest.raises(NotHere):
        members.hold_membership(actor=gone)
    with pytest.raises(Forbidden):
        members.rename_tenant(actor=gone, name="Mine", now=clock.now())
    with pytest.raises(Forbidden):
        remove_member(actor=gone, user_id=owner.user_id, now=clock.now())


@pytest.mark.failure("T17")
def test_an_owner_who_was_just_demoted_is_judged_by_the_role_of_now() -> None:
    owner = make_actor()
    other = make_actor(tenant=owner.tenant, role=Role.OWNER)
    members.change_role(actor=owner, user_id=other.user_id, role=Role.MEMBER, now=clock.now())
    with pytest.raises(OwnersOnly):
        members.change_role(actor=other, user_id=owner.user_id, role=Role.MEMBER, now=clock.now())


def test_a_stranger_is_nobody_here() -> None:
    with pytest.raises(NotFound):
        remove_member(actor=make_actor(), user_id=make_actor().user_id, now=clock.now())


@pytest.mark.parametrize(
    ("reason", "scopes", "minutes", "field"),
    [
        (" ", [GrantScope.BILLING], 5, "reason"),
        ("Help", [], 5, "scopes"),
        ("Help", [GrantScope.BILLING], 4, "minutes"),
        ("Help", [GrantScope.BILLING], 1441, "minutes"),
    ],
)
def test_a_grant_without_sense_is_refused(reason: str, scopes: list[GrantScope], minutes: int, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        open_grant(actor=make_actor(), reason=reason, scopes=scopes, minutes=minutes, now=clock.now())
    assert list(caught.value.fields) == [field]


def test_a_grant_that_is_over_cannot_be_ended_again() -> None:
    owner, now = make_actor(), clock.now()
    grant = open_grant(actor=owner, reason="Help", scopes=[GrantScope.BILLING], minutes=5, now=now)
    with pytest.raises(WrongState):
        revoke_grant(actor=owner, grant_id=grant.id, now=grant.expires_at)


def test_no_grant_opens_what_staff_do_with_money() -> None:
    assert find_scope("/api/billing/admin/reserve/adjust/") is None
    assert find_scope("/api/billing/usage/") == GrantScope.BILLING
