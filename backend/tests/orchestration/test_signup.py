"""Signing up: one transaction that spends the key and makes everything a person needs, or nothing."""

from typing import Any
from unittest import mock

import pytest

from apps.accounts.models import User
from apps.accounts.services.credentials import check_credentials
from apps.billing import selectors as billing
from apps.common import clock
from apps.common.errors import Forbidden, Invalid
from apps.invitations.models import InvitePasskey
from apps.invitations.services import PasskeyInvalid, create_passkey
from apps.observability.models import AuditEvent, EventRecord
from apps.orchestration import signup
from apps.tenants.models import Tenant
from apps.tenants.types import Member, Role
from tests.factories.accounts import PASSWORD, make_actor, make_staff

pytestmark = pytest.mark.django_db


def make_key(**terms: Any) -> str:
    return create_passkey(actor=None, now=clock.now(), **terms)[1]


def sign_up(passkey: str, *, username: str = "ada", email: str = "ada@example.org") -> Member:
    return signup.sign_up(username=username, email=email, password=PASSWORD, passkey=passkey, now=clock.now())


def test_a_newcomer_owns_a_tenant_with_an_empty_reserve() -> None:
    member = sign_up(make_key())
    assert (member.username, member.tenant_name, member.role) == ("ada", "ada", Role.OWNER)
    assert billing.get_balance(tenant=member.tenant).balance_micros == 0
    assert check_credentials(username="ada", password=PASSWORD) == member.user_id


def test_the_credit_of_the_key_is_in_the_reserve() -> None:
    member = sign_up(make_key(promo_credit_micros=5_000_000))
    assert billing.get_balance(tenant=member.tenant).balance_micros == 5_000_000
    entry = billing.list_ledger(tenant=member.tenant).get()
    assert (entry.kind, entry.amount_micros) == ("promo_credit", 5_000_000)


def test_a_key_for_a_tenant_leads_into_it_with_its_role() -> None:
    owner = make_actor()
    member = sign_up(make_key(tenant=owner.tenant, role=Role.MEMBER, promo_credit_micros=1_000_000))
    assert (member.tenant, member.role) == (owner.tenant, Role.MEMBER)
    assert billing.get_balance(tenant=owner.tenant).balance_micros == 1_000_000


def test_the_arrival_is_written_down() -> None:
    member = sign_up(make_key())
    assert EventRecord.objects.get(subject_id=member.user_id).name == "user.created"
    audit = AuditEvent.objects.get(action="user.created")
    assert (audit.tenant_id, audit.actor_id) == (member.tenant, member.user_id)


@pytest.mark.parametrize("step", ["create_tenant", "add_member", "grant_promo_credit", "record_audit"])
def test_a_failure_after_the_key_was_spent_leaves_it_good_and_nothing_behind(step: str) -> None:
    raw = make_key(promo_credit_micros=1_000_000)
    tenants = Tenant.objects.count()
    with mock.patch.object(signup, step, side_effect=RuntimeError), pytest.raises(RuntimeError):
        sign_up(raw)
    assert not User.objects.filter(username="ada").exists()
    assert Tenant.objects.count() == tenants
    assert sign_up(raw).username == "ada"


def test_a_taken_name_leaves_the_key_good() -> None:
    make_actor(username="ada")
    raw = make_key()
    with pytest.raises(Invalid) as caught:
        sign_up(raw)
    assert list(caught.value.fields) == ["username"]
    assert InvitePasskey.objects.get().used_at is None


def test_without_a_good_key_nobody_learns_that_a_name_is_taken() -> None:
    make_actor(username="ada")
    for name in ("ada", "eve"):
        with pytest.raises(PasskeyInvalid):
            sign_up("inv_guess", username=name)


def test_nothing_is_spent_on_a_weak_password() -> None:
    raw = make_key()
    with pytest.raises(Invalid):
        signup.sign_up(username="ada", email="ada@example.org", password="short", passkey=raw, now=clock.now())
    assert InvitePasskey.objects.get().used_at is None


def test_an_existing_account_keeps_its_password_when_its_address_is_used_again() -> None:
    actor = make_actor(username="ada", email="ada@example.org")
    with pytest.raises(Invalid):
        signup.sign_up(
            username="eve", email="ADA@example.org", password="another password", passkey=make_key(), now=clock.now()
        )
    assert check_credentials(username="ada", password=PASSWORD) == actor.user_id


def test_staff_make_a_person_without_a_key() -> None:
    staff = make_staff()
    member = signup.create_person(
        actor=staff, username="eve", email="eve@example.org", password=PASSWORD, now=clock.now()
    )
    assert billing.get_balance(tenant=member.tenant).balance_micros == 0
    assert AuditEvent.objects.get(action="user.created").actor_id == staff.user_id


def test_others_make_nobody() -> None:
    with pytest.raises(Forbidden):
        signup.create_person(
            actor=make_actor(), username="eve", email="eve@example.org", password=PASSWORD, now=clock.now()
        )
