"""Tokens that people make for their programs, and how many they may have."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from apps.accounts.models import ApiToken
from apps.accounts.selectors import list_personal_tokens, list_sessions
from apps.accounts.services import personal_tokens
from apps.accounts.services.personal_tokens import MAX_TOKENS, TooManyTokens
from apps.accounts.services.tokens import issue_token
from apps.accounts.types import ALL_SCOPES, TokenKind
from apps.common import clock
from apps.common.errors import NotFound
from apps.common.ids import uuid7
from apps.observability.models import AuditEvent
from apps.tenants.types import Actor
from tests.factories.accounts import make_actor

CONTENDERS = 8


def make(actor: Actor, *, days: int = 90) -> str:
    now = clock.now()
    _, key = personal_tokens.create_personal_token(
        user_id=actor.user_id, name="CI", scopes=["read"], expires_at=now + timedelta(days=days), now=now
    )
    return key


def fill_up(actor: Actor, count: int) -> None:
    now = clock.now()
    for _ in range(count):
        issue_token(
            user_id=actor.user_id,
            name="CI",
            kind=TokenKind.PERSONAL,
            scopes=ALL_SCOPES,
            expires_at=now + timedelta(days=9),
            now=now,
        )


@pytest.mark.django_db
def test_a_token_is_made_with_a_name_an_end_and_an_audit_row() -> None:
    actor = make_actor()
    key = make(actor)
    (row,) = list_personal_tokens(user_id=actor.user_id, now=clock.now())
    assert (row.name, row.scopes, row.last_used_at) == ("CI", ("read",), None)
    assert key.startswith(row.prefix)
    audit = AuditEvent.objects.get(action="token.created")
    assert (audit.actor_id, audit.target_id, audit.after) == (actor.user_id, str(row.id), {"scopes": ["read"]})
    assert list_sessions(user_id=actor.user_id, now=clock.now()) == []


@pytest.mark.django_db
@pytest.mark.failure("A27")
def test_a_person_has_at_most_fifty_live_tokens() -> None:
    actor = make_actor()
    fill_up(actor, MAX_TOKENS)
    with pytest.raises(TooManyTokens):
        make(actor)
    ApiToken.objects.filter(pk__in=ApiToken.objects.values("pk")[:1]).update(expiry=clock.now())
    make(actor)


@pytest.mark.django_db
def test_sessions_do_not_count() -> None:
    actor = make_actor()
    fill_up(actor, MAX_TOKENS - 1)
    for _ in range(3):
        issue_token(user_id=actor.user_id, name="Web", now=clock.now())
    make(actor)


@pytest.mark.django_db
def test_a_token_is_ended_by_its_owner_and_by_its_kind() -> None:
    actor = make_actor()
    make(actor)
    token_id = ApiToken.objects.get().public_id
    for user_id, kind in ((uuid7(), TokenKind.PERSONAL), (actor.user_id, TokenKind.SESSION)):
        with pytest.raises(NotFound):
            personal_tokens.end_token(user_id=user_id, public_id=token_id, kind=kind, now=clock.now())
    personal_tokens.end_token(user_id=actor.user_id, public_id=token_id, kind=TokenKind.PERSONAL, now=clock.now())
    assert not ApiToken.objects.exists()
    assert AuditEvent.objects.filter(action="token.revoked", target_id=str(token_id)).count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.failure("A27")
def test_of_many_who_ask_at_once_only_as_many_get_a_token_as_are_left() -> None:
    actor = make_actor()
    fill_up(actor, MAX_TOKENS - 3)
    barrier = Barrier(CONTENDERS)

    def ask(_: int) -> bool:
        try:
            barrier.wait(timeout=20)
            make(actor)
        except TooManyTokens:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(CONTENDERS) as pool:
        answers = Counter(pool.map(ask, range(CONTENDERS)))
    assert answers == {True: 3, False: CONTENDERS - 3}
    assert ApiToken.objects.filter(kind=TokenKind.PERSONAL).count() == MAX_TOKENS
