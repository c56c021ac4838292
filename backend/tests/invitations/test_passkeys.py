"""Invite passkeys: spent once, by the right person, in time; and what the database holds of one."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from apps.common import clock
from apps.common.errors import Forbidden, Invalid, NotFound
from apps.common.ids import TenantId, uuid7
from apps.common.money import MAX_ABS_MICROS
from apps.invitations import selectors, services
from apps.invitations.models import InvitePasskey
from apps.invitations.types import PasskeyState, RedeemedPasskey
from apps.observability.models import AuditEvent
from apps.tenants.types import Role
from tests.factories.accounts import make_actor, make_staff

pytestmark = pytest.mark.django_db


def make_key(**terms: Any) -> str:
    return services.create_passkey(actor=None, now=clock.now(), **terms)[1]


def redeem(raw: str, *, email: str = "ada@example.org", after: timedelta = timedelta()) -> RedeemedPasskey:
    person = make_actor()
    with transaction.atomic():
        return services.redeem_passkey(raw=raw, email=email, user_id=person.user_id, now=clock.now() + after)


def test_only_the_digest_and_a_short_prefix_of_a_key_are_stored() -> None:
    raw = make_key()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(k)::text FROM invitations_invitepasskey k")
        stored = cursor.fetchone()[0]
    assert raw not in stored
    assert raw[:10] in stored
    assert raw[:11] not in stored


def test_a_key_is_url_safe_and_hides_at_least_128_bits_behind_its_prefix() -> None:
    raw = make_key()
    assert raw.replace("-", "").replace("_", "").isalnum()
    assert (len(raw) - 10) * 6 >= 128


def test_a_key_gives_what_its_maker_promised() -> None:
    tenant = make_actor().tenant
    redeemed = redeem(make_key(promo_credit_micros=5_000_000, tenant=tenant, role=Role.MEMBER))
    assert (redeemed.promo_credit_micros, redeemed.tenant, redeemed.role) == (5_000_000, tenant, Role.MEMBER)


def test_a_key_is_spent_once() -> None:
    raw = make_key()
    redeem(raw)
    with pytest.raises(services.PasskeyUsed, match="Passkey has already been used"):
        redeem(raw)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(services.PasskeyInvalid):
        redeem("inv_nothing-like-a-key")


def test_a_key_is_good_until_its_expiry() -> None:
    raw = make_key(expires_at=clock.now() + timedelta(days=1))
    with pytest.raises(services.PasskeyExpired):
        redeem(raw, after=timedelta(days=1, seconds=1))
    assert redeem(raw, after=timedelta(hours=23))


def test_a_revoked_key_is_refused() -> None:
    raw = make_key()
    services.revoke_passkey(actor=make_staff(), passkey_id=InvitePasskey.objects.get().id, now=clock.now())
    with pytest.raises(services.PasskeyRevoked):
        redeem(raw)


def test_a_bound_key_opens_to_its_address_alone_whatever_the_case() -> None:
    raw = make_key(bound_email="Ada@Example.org")
    with pytest.raises(services.PasskeyWrongEmail):
        redeem(raw, email="eve@example.org")
    assert redeem(raw, email="ADA@example.ORG ")


@pytest.mark.django_db(transaction=True)
def test_a_key_is_not_spent_outside_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        services.redeem_passkey(raw="x", email="", user_id=uuid7(), now=clock.now())


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"expires_at": clock.now() - timedelta(days=1)}, "expires_at"),
        ({"bound_email": "nobody"}, "bound_email"),
        ({"promo_credit_micros": -1}, "promo_credit_cents"),
        ({"promo_credit_micros": MAX_ABS_MICROS + 1}, "promo_credit_cents"),
        ({"role": Role.OWNER}, "role"),
        ({"tenant": TenantId(uuid7()), "role": Role.OWNER}, "tenant"),
    ],
)
def test_terms_that_make_no_sense_are_refused(terms: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        make_key(**terms)
    assert list(caught.value.fields) == [field]


def test_only_staff_make_see_and_revoke_keys() -> None:
    actor, now = make_actor(), clock.now()
    with pytest.raises(Forbidden):
        services.create_passkey(actor=actor, now=now)
    with pytest.raises(Forbidden):
        selectors.list_passkeys(actor=actor, state=None, now=now)
    with pytest.raises(Forbidden):
        services.revoke_passkey(actor=actor, passkey_id=uuid7(), now=now)


@pytest.mark.parametrize("state", PasskeyState)
def test_the_list_of_a_state_holds_just_the_keys_of_that_state(state: PasskeyState) -> None:
    staff, now = make_staff(), clock.now()
    make_key(note="active")
    make_key(note="expired", expires_at=now + timedelta(days=1))
    redeem(make_key(note="used"))
    revoked, _ = services.create_passkey(actor=staff, note="revoked", now=now)
    services.revoke_passkey(actor=staff, passkey_id=revoked.id, now=now)
    later = now + timedelta(days=2)
    keys = list(selectors.list_passkeys(actor=staff, state=state, now=later))
    assert [key.note for key in keys] == [state.value]
    assert selectors.view_passkey(passkey=keys[0], now=later).state is state


def test_a_used_key_cannot_be_revoked() -> None:
    redeem(make_key())
    with pytest.raises(services.PasskeySpent):
        services.revoke_passkey(actor=make_staff(), passkey_id=InvitePasskey.objects.get().id, now=clock.now())


def test_an_unknown_key_cannot_be_revoked_or_seen() -> None:
    staff = make_staff()
    with pytest.raises(NotFound):
        services.revoke_passkey(actor=staff, passkey_id=uuid7(), now=clock.now())
    with pytest.raises(NotFound):
        selectors.get_passkey(actor=staff, passkey_id=uuid7(), now=clock.now())


def test_the_life_of_a_key_is_written_down() -> None:
    staff = make_staff()
    view, raw = services.create_passkey(actor=staff, now=clock.now())
    redeem(raw)
    rows = AuditEvent.objects.filter(target_id=str(view.id)).order_by("id")
    assert [row.action for row in rows] == ["passkey.created", "passkey.used"]
    assert raw not in str([row.after for row in rows])


@pytest.mark.parametrize("column", ["digest", "prefix", "bound_email", "promo_credit_micros", "created_by_id"])
def test_the_database_keeps_the_terms_of_a_key(column: str) -> None:
    make_key()
    value = {"promo_credit_micros": 7, "created_by_id": make_actor().user_id}.get(column, "else")
    with pytest.raises(ProgrammingError), transaction.atomic():
        InvitePasskey.objects.update(**{column: value})


def test_the_database_lets_no_spent_key_become_good_again() -> None:
    redeem(make_key())
    with pytest.raises(ProgrammingError), transaction.atomic():
        InvitePasskey.objects.update(used_by=None, used_at=None)


def test_the_database_deletes_no_key() -> None:
    make_key()
    with pytest.raises(ProgrammingError), transaction.atomic():
        InvitePasskey.objects.all().delete()


def test_the_database_lets_one_person_use_one_key() -> None:
    make_key()
    make_key()
    with pytest.raises(IntegrityError), transaction.atomic():
        InvitePasskey.objects.update(used_by=make_actor().user_id, used_at=clock.now())


def test_the_database_refuses_a_use_after_the_expiry() -> None:
    make_key(expires_at=clock.now() + timedelta(days=1))
    with pytest.raises(IntegrityError), transaction.atomic():
        InvitePasskey.objects.update(used_by=make_actor().user_id, used_at=clock.now() + timedelta(days=2))


def test_a_key_reads_as_its_prefix() -> None:
    raw = make_key()
    assert str(InvitePasskey.objects.get()) == f"{raw[:10]}…"
