"""Tokens: what is kept of one, how long it lives, how it ends."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from structlog.testing import capture_logs

from apps.accounts.models import ApiToken, RevokedToken
from apps.accounts.services import tokens
from apps.accounts.services.purging import purge_identities
from apps.accounts.types import IssuedToken, TokenKind
from apps.common import clock
from apps.common.ids import uuid7
from apps.observability.models import AuditEvent
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor

pytestmark = pytest.mark.django_db


def test_only_the_digest_of_a_token_is_stored() -> None:
    issued = tokens.issue_token(user_id=make_actor().user_id, name="API", now=clock.now())
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(t)::text FROM accounts_apitoken t")
        stored = cursor.fetchone()[0]
    assert issued.key not in stored
    assert issued.key[3:] not in stored
    assert tokens.digest_key(issued.key) in stored


def test_a_token_carries_256_random_bits_behind_its_prefix() -> None:
    issued = tokens.issue_token(user_id=make_actor().user_id, name="API", now=clock.now())
    assert issued.key.startswith("ar_")
    assert len(bytes.fromhex(issued.key[3:])) == 32


def test_a_token_lives_for_the_time_that_the_settings_say() -> None:
    now = clock.now()
    issued = tokens.issue_token(user_id=make_actor().user_id, name="API", now=now)
    lifetime = issued.expires_at - now
    assert lifetime == settings.REST_KNOX["TOKEN_TTL"] == timedelta(days=14)


def test_a_token_is_revoked_once() -> None:
    actor = make_actor()
    issued = tokens.issue_token(user_id=actor.user_id, name="API", now=clock.now())
    assert tokens.revoke_token(user_id=actor.user_id, public_id=issued.public_id, now=clock.now())
    assert not tokens.revoke_token(user_id=actor.user_id, public_id=issued.public_id, now=clock.now())


def test_nobody_revokes_the_token_of_another_person() -> None:
    issued = tokens.issue_token(user_id=make_actor().user_id, name="API", now=clock.now())
    assert not tokens.revoke_token(user_id=uuid7(), public_id=issued.public_id, now=clock.now())
    assert ApiToken.objects.filter(public_id=issued.public_id).exists()


def test_revoking_all_tokens_leaves_those_of_others_and_is_written_down() -> None:
    actor, other = make_actor(), make_actor()
    for user_id in (actor.user_id, actor.user_id, other.user_id):
        tokens.issue_token(user_id=user_id, name="API", now=clock.now())
    ended = tokens.revoke_all_tokens(user_id=actor.user_id, actor=actor.user_id, reason="", now=clock.now())
    assert ended == 2
    assert ApiToken.objects.get().user_id == other.user_id
    assert AuditEvent.objects.get(action="tokens.revoked_all").after == {"tokens": 2}


def issue(actor: Actor, *, kind: TokenKind = TokenKind.SESSION, expires_in: timedelta | None = None) -> IssuedToken:
    now = clock.now()
    expires_at = now + expires_in if expires_in else None
    return tokens.issue_token(user_id=actor.user_id, name="API", kind=kind, expires_at=expires_at, now=now)


def test_a_session_is_fresh_and_a_personal_token_never_is() -> None:
    actor = make_actor()
    for kind in TokenKind:
        issued = tokens.issue_token(
            user_id=actor.user_id, name="API", kind=kind, has_second_factor=True, now=clock.now()
        )
        tokens.mark_authenticated(public_id=issued.public_id, now=clock.now())
        tokens.mark_second_factor(public_id=issued.public_id, now=clock.now())
    session, personal = ApiToken.objects.order_by("-kind")
    assert session.authenticated_at is not None is not session.second_factor_at
    assert (personal.authenticated_at, personal.second_factor_at) == (None, None)


@pytest.mark.failure("A12")
def test_no_session_outlives_the_time_that_the_settings_say() -> None:
    issued = issue(make_actor(), expires_in=timedelta(days=300))
    assert issued.expires_at - clock.now() <= timedelta(days=14)


def test_a_personal_token_lives_as_long_as_was_asked_for() -> None:
    issued = issue(make_actor(), kind=TokenKind.PERSONAL, expires_in=timedelta(days=300))
    assert issued.expires_at - clock.now() > timedelta(days=299)


@pytest.mark.failure("A07", "A14")
def test_of_an_ended_token_the_digest_is_kept_until_it_would_have_expired() -> None:
    actor = make_actor()
    issued = issue(actor)
    tokens.revoke_token(user_id=actor.user_id, public_id=issued.public_id, now=clock.now())
    kept = RevokedToken.objects.get()
    assert (kept.digest, kept.expires_at) == (tokens.digest_key(issued.key), issued.expires_at)


def test_of_a_token_that_had_expired_nothing_is_kept() -> None:
    actor = make_actor()
    issue(actor)
    later = clock.now() + timedelta(days=30)
    assert tokens.revoke_all_tokens(user_id=actor.user_id, actor=None, reason="", now=later) == 1
    assert not RevokedToken.objects.exists()


@pytest.mark.failure("A14")
def test_the_use_of_an_ended_token_raises_the_alarm() -> None:
    actor = make_actor()
    issued = issue(actor)
    tokens.revoke_token(user_id=actor.user_id, public_id=issued.public_id, now=clock.now())
    with capture_logs() as logs:
        tokens.note_refused(key=issued.key)
        tokens.note_refused(key="ar_unknown")
    (alarm,) = logs
    assert (alarm["event"], alarm["log_level"]) == ("revoked_token_used", "warning")
    assert (alarm["user_id"], alarm["token_id"]) == (str(actor.user_id), str(issued.public_id))
    assert issued.key not in str(alarm)


@pytest.mark.failure("A12")
def test_expired_tokens_are_purged_and_live_ones_stay() -> None:
    actor = make_actor()
    ended, _, live = (issue(actor, expires_in=timedelta(days=days)) for days in (3, 3, 13))
    tokens.revoke_token(user_id=actor.user_id, public_id=ended.public_id, now=clock.now())
    assert purge_identities(now=clock.now()) == 0
    assert purge_identities(now=clock.now() + timedelta(days=4)) == 2
    assert ApiToken.objects.get().public_id == live.public_id
    assert not RevokedToken.objects.exists()


def test_idle_sessions_are_purged_before_their_time() -> None:
    actor = make_actor()
    idle, live = issue(actor, expires_in=timedelta(days=13)), issue(actor, expires_in=timedelta(days=13))
    ApiToken.objects.filter(public_id=idle.public_id).update(last_used_at=clock.now() - timedelta(days=8))
    assert tokens.purge_tokens(now=clock.now()) == 1
    assert ApiToken.objects.get().public_id == live.public_id
