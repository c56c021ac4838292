"""Members: signing in, carrying a token, editing a profile."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import ApiToken, User
from apps.accounts.services import users
from apps.accounts.services.credentials import BadCredentials
from apps.accounts.services.tokens import issue_token
from apps.common import clock
from apps.common.errors import Invalid, NotFound
from apps.common.ids import TenantId, uuid7
from apps.mfa.refusals import ChallengeExpired, SecondFactorRequired
from apps.mfa.types import ChallengeView
from apps.tenants import selectors, services
from apps.tenants.models import Profile
from apps.tenants.types import Role
from tests.factories.accounts import PASSWORD, make_actor

pytestmark = pytest.mark.django_db


def test_signing_in_gives_the_member_and_a_token() -> None:
    actor = make_actor(username="ada")
    signed_in = services.sign_in(username="ada", password=PASSWORD, token_name="API", now=clock.now())
    assert signed_in.member.as_actor() == actor
    bearer = selectors.find_bearer(key=signed_in.token.key, now=clock.now())
    assert bearer is not None
    assert bearer.token_id == signed_in.token.public_id


def test_somebody_without_a_tenant_cannot_sign_in() -> None:
    users.create_user(user_id=uuid7(), username="ada", email="ada@example.org", password=PASSWORD, now=clock.now())
    with pytest.raises(BadCredentials):
        services.sign_in(username="ada", password=PASSWORD, token_name="API", now=clock.now())


def test_of_two_tokens_the_one_that_was_shown_is_found() -> None:
    actor, now = make_actor(), clock.now()
    first, second = (issue_token(user_id=actor.user_id, name="API", now=now) for _ in range(2))
    found = [selectors.find_bearer(key=token.key, now=now) for token in (first, second)]
    assert [bearer and bearer.token_id for bearer in found] == [first.public_id, second.public_id]


def test_a_token_ends_at_its_expiry() -> None:
    now = clock.now()
    issued = issue_token(user_id=make_actor().user_id, name="API", now=now, expires_at=now + timedelta(hours=1))
    assert selectors.find_bearer(key=issued.key, now=issued.expires_at - timedelta(seconds=1)) is not None
    assert selectors.find_bearer(key=issued.key, now=issued.expires_at) is None


def test_a_token_of_a_closed_account_is_dead_even_if_its_row_is_left() -> None:
    actor = make_actor()
    issued = issue_token(user_id=actor.user_id, name="API", now=clock.now())
    User.objects.filter(id=actor.user_id).update(is_active=False)
    assert selectors.find_bearer(key=issued.key, now=clock.now()) is None


def test_a_member_is_not_seen_from_another_tenant() -> None:
    with pytest.raises(NotFound):
        selectors.get_member(tenant=make_actor().tenant, user_id=make_actor().user_id)


def test_an_edit_changes_what_is_given_and_leaves_the_rest() -> None:
    actor = make_actor(time_zone="Europe/Zurich")
    edited = services.edit_profile(actor=actor, display_name="Ada Lovelace", now=clock.now())
    assert (edited.display_name, edited.time_zone) == ("Ada Lovelace", "Europe/Zurich")
    edited = services.edit_profile(actor=actor, time_zone="Asia/Tokyo", now=clock.now())
    assert (edited.display_name, edited.time_zone) == ("Ada Lovelace", "Asia/Tokyo")


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "localtime", "UTC+1"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(Invalid) as caught:
        services.edit_profile(actor=make_actor(), time_zone=zone, now=clock.now())
    assert list(caught.value.fields) == ["time_zone"]


def test_the_database_keeps_a_person_in_one_tenant() -> None:
    actor, other = make_actor(), make_actor()
    with pytest.raises(IntegrityError), transaction.atomic():
        services.add_member(tenant=other.tenant, user_id=actor.user_id, role=Role.MEMBER, now=clock.now())


def test_the_database_knows_the_roles() -> None:
    actor = make_actor()
    with pytest.raises(IntegrityError), transaction.atomic():
        Profile.objects.filter(user_id=actor.user_id).update(role="king")


def test_tenants_are_told_apart() -> None:
    assert selectors.has_tenant(tenant=make_actor().tenant)
    assert not selectors.has_tenant(tenant=TenantId(uuid7()))


@pytest.mark.failure("A08", "A09")
@pytest.mark.parametrize("change", [{"password": "changed meanwhile"}, {"is_active": False}])
def test_nobody_comes_in_by_a_password_that_is_changed_while_it_is_checked(
    change: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_actor(username="ada")

    def change_meanwhile(**_: object) -> bool:
        User.objects.update(**change)
        return False

    monkeypatch.setattr("apps.tenants.services.signing_in.has_second_factor", change_meanwhile)
    with pytest.raises(BadCredentials):
        services.sign_in(username="ada", password=PASSWORD, token_name="API", now=clock.now())
    assert not ApiToken.objects.exists()


@pytest.mark.failure("A08", "A09")
@pytest.mark.parametrize("change", [{"password": "changed meanwhile"}, {"is_active": False}])
def test_a_challenge_is_worth_nothing_after_the_password_was_changed(
    change: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_actor(username="ada")
    monkeypatch.setattr("apps.tenants.services.signing_in.has_second_factor", lambda **_: True)
    asked = ChallengeView(id="question", methods=(), webauthn=None)
    monkeypatch.setattr("apps.tenants.services.signing_in.start_challenge", lambda **_: asked)
    monkeypatch.setattr("apps.tenants.services.signing_in.answer_challenge", lambda **_: actor.user_id)
    with pytest.raises(SecondFactorRequired) as caught:
        services.sign_in(username="ada", password=PASSWORD, token_name="API", now=clock.now())
    assert caught.value.challenge is not None
    complete = partial(
        services.complete_sign_in,
        challenge_id=caught.value.challenge.id,
        code="1",
        credential=None,
        token_name="API",
        now=clock.now(),
    )
    assert complete().member.user_id == actor.user_id
    User.objects.update(**change)
    with pytest.raises(ChallengeExpired):
        complete()
