"""Tokens: what is kept of one, how long it lives, how it ends."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from apps.accounts.models import ApiToken
from apps.accounts.services import tokens
from apps.common import clock
from apps.common.ids import uuid7
from apps.observability.models import AuditEvent
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
