"""A tenant that has people has an owner: in the code, and in the database for whatever goes round the code."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Case, Value, When

from apps.accounts.personal_data import forget_person
from apps.accounts.services.users import set_active
from apps.common import clock
from apps.common.ids import uuid7
from apps.tenants.models import Profile, SupportGrant
from apps.tenants.selectors.members import get_tenant, list_members
from apps.tenants.services import add_member, create_tenant
from apps.tenants.services.members import change_role
from apps.tenants.services.support import open_grant, revoke_grant
from apps.tenants.types import GrantScope, LastOwner, NobodyThere, Role
from tests.factories.accounts import make_actor

pytestmark = pytest.mark.django_db

ORPHANED = "has people but no owner"


def test_the_last_owner_cannot_be_made_a_member_behind_the_codes_back() -> None:
    owner = make_actor()
    with pytest.raises(IntegrityError, match=ORPHANED), transaction.atomic():
        Profile.objects.filter(user_id=owner.user_id).update(role=Role.MEMBER)


def test_the_last_owner_cannot_be_moved_away_from_others() -> None:
    owner = make_actor()
    make_actor(tenant=owner.tenant, role=Role.MEMBER)
    with pytest.raises(IntegrityError, match=ORPHANED), transaction.atomic():
        Profile.objects.filter(user_id=owner.user_id).update(tenant_id=make_actor().tenant)


def test_the_last_owner_cannot_be_deleted_while_others_stay() -> None:
    owner = make_actor()
    make_actor(tenant=owner.tenant, role=Role.MEMBER)
    with pytest.raises(IntegrityError, match=ORPHANED), transaction.atomic():
        Profile.objects.filter(user_id=owner.user_id).delete()


def test_the_only_person_can_be_deleted() -> None:
    owner = make_actor()
    assert Profile.objects.filter(user_id=owner.user_id).delete()[0] == 1


def test_owners_change_places_in_one_statement() -> None:
    owner = make_actor()
    other = make_actor(tenant=owner.tenant, role=Role.MEMBER)
    swapped = Case(When(role=Role.OWNER, then=Value(Role.MEMBER)), default=Value(Role.OWNER))
    Profile.objects.filter(tenant_id=owner.tenant).update(role=swapped)
    assert Profile.objects.get(tenant_id=owner.tenant, role=Role.OWNER).user_id == other.user_id


def test_nobody_is_welcomed_as_a_member_where_there_is_no_owner() -> None:
    tenant = create_tenant(name="Empty", now=clock.now())
    with pytest.raises(NobodyThere):
        add_member(tenant=tenant, user_id=make_actor().user_id, role=Role.MEMBER, now=clock.now())


@pytest.mark.parametrize(
    "change", [{"scopes": ["billing"]}, {"expires_at": clock.now()}, {"granted_by_id": uuid7()}, {"revoked_at": None}]
)
def test_the_terms_of_a_support_grant_are_fixed_and_its_end_is_final(change: dict[str, object]) -> None:
    owner, now = make_actor(), clock.now()
    grant = open_grant(actor=owner, reason="Help", scopes=[GrantScope.WORKLOG], minutes=5, now=now)
    revoke_grant(actor=owner, grant_id=grant.id, now=now)
    with pytest.raises(Exception, match="Cannot update rows"), transaction.atomic():
        SupportGrant.objects.filter(id=grant.id).update(**change)


def test_an_owner_whose_account_is_closed_does_not_count() -> None:
    owner = make_actor()
    other = make_actor(tenant=owner.tenant, role=Role.OWNER)
    set_active(actor=owner.user_id, user_id=other.user_id, is_active=False, reason="left", now=clock.now())
    with pytest.raises(LastOwner):
        change_role(actor=owner, user_id=owner.user_id, role=Role.MEMBER, now=clock.now())


def test_a_person_who_was_erased_is_not_listed_among_the_others() -> None:
    owner = make_actor()
    forget_person(user_id=make_actor(tenant=owner.tenant, role=Role.MEMBER).user_id)
    assert [profile.user_id for profile in list_members(actor=owner)] == [owner.user_id]
    assert get_tenant(actor=owner).member_count == 1
