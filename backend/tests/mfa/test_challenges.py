"""Challenges: five minutes, five attempts, one success."""

from datetime import timedelta
from typing import Any

import pytest

from apps.common import clock, limits
from apps.common.errors import RateLimited
from apps.mfa.models import Challenge
from apps.mfa.refusals import BadCode, BadKey, ChallengeExpired
from apps.mfa.services.challenges import answer_challenge, digest_id, start_challenge
from apps.mfa.services.codes import check_code
from apps.mfa.services.security_keys import begin_key
from apps.mfa.types import Method, Purpose
from tests.factories.accounts import make_actor
from tests.factories.mfa import make_protected

pytestmark = pytest.mark.django_db


def test_a_code_answers_a_challenge() -> None:
    actor, app = make_protected()
    now = clock.now()
    challenge = start_challenge(user_id=actor.user_id, now=now)
    assert (challenge.methods, challenge.webauthn) == ((Method.TOTP, Method.RECOVERY), None)
    assert answer_challenge(challenge_id=challenge.id, code=app.code(now), now=now) == actor.user_id


def test_a_recovery_code_answers_it_too() -> None:
    actor, app = make_protected()
    now = clock.now()
    challenge = start_challenge(user_id=actor.user_id, now=now)
    assert answer_challenge(challenge_id=challenge.id, code=app.recovery_codes[3], now=now) == actor.user_id


def test_a_challenge_is_answered_once() -> None:
    actor, app = make_protected()
    now = clock.now()
    challenge = start_challenge(user_id=actor.user_id, now=now)
    answer_challenge(challenge_id=challenge.id, code=app.recovery_codes[0], now=now)
    with pytest.raises(ChallengeExpired):
        answer_challenge(challenge_id=challenge.id, code=app.recovery_codes[1], now=now)


@pytest.mark.failure("A02")
def test_the_fifth_wrong_answer_is_the_last() -> None:
    actor, app = make_protected()
    now = clock.now()
    challenge = start_challenge(user_id=actor.user_id, now=now)
    for _ in range(5):
        with pytest.raises(BadCode):
            answer_challenge(challenge_id=challenge.id, code="wrong", now=now)
    with pytest.raises(ChallengeExpired):
        answer_challenge(challenge_id=challenge.id, code=app.code(now), now=now)


@pytest.mark.failure("A02")
def test_new_challenges_bring_no_new_guesses(settings: Any) -> None:
    settings.RATE_LIMITS = {limits.SECOND_FACTOR_ACCOUNT.name: (3, 900)}
    actor, app = make_protected()
    now = clock.now()
    for _ in range(3):
        challenge = start_challenge(user_id=actor.user_id, now=now)
        with pytest.raises(BadCode):
            answer_challenge(challenge_id=challenge.id, code="wrong", now=now)
    challenge = start_challenge(user_id=actor.user_id, now=now)
    with pytest.raises(RateLimited):
        answer_challenge(challenge_id=challenge.id, code=app.code(now), now=now)
    with pytest.raises(RateLimited):
        check_code(user_id=actor.user_id, code=app.code(now), now=now)


def test_a_challenge_lives_for_five_minutes() -> None:
    actor, app = make_protected()
    now = clock.now()
    challenge = start_challenge(user_id=actor.user_id, now=now)
    late = now + timedelta(minutes=5)
    with pytest.raises(ChallengeExpired):
        answer_challenge(challenge_id=challenge.id, code=app.code(late), now=late)


@pytest.mark.parametrize("challenge_id", ["", "x" * 43, "\ud800"])
def test_an_unknown_challenge_is_like_an_old_one(challenge_id: str) -> None:
    with pytest.raises(ChallengeExpired):
        answer_challenge(challenge_id=challenge_id, code="123456", now=clock.now())


def test_a_challenge_is_good_for_its_purpose_only() -> None:
    actor, app = make_protected()
    now = clock.now()
    setup = begin_key(user_id=actor.user_id, now=now)
    again = start_challenge(user_id=actor.user_id, now=now, purpose=Purpose.REAUTHENTICATE)
    for challenge_id in (setup.challenge, again.id):
        with pytest.raises(ChallengeExpired):
            answer_challenge(challenge_id=challenge_id, code=app.code(now), now=now)
    answer_challenge(challenge_id=again.id, code=app.code(now), now=now, purpose=Purpose.REAUTHENTICATE)


def test_a_signature_is_no_answer_where_no_key_was_asked() -> None:
    actor, _ = make_protected()
    now = clock.now()
    challenge = start_challenge(user_id=actor.user_id, now=now)
    with pytest.raises(BadKey):
        answer_challenge(challenge_id=challenge.id, credential={"id": "AA"}, now=now)


@pytest.mark.failure("A07")
def test_the_id_does_not_lie_in_the_database() -> None:
    challenge = start_challenge(user_id=make_protected()[0].user_id, now=clock.now())
    row = Challenge.objects.get()
    assert row.digest == digest_id(challenge.id)
    assert challenge.id not in repr(Challenge.objects.values_list().get())


def test_dead_challenges_go_with_the_next_one() -> None:
    actor, now = make_actor(), clock.now()
    start_challenge(user_id=actor.user_id, now=now - timedelta(days=2))
    start_challenge(user_id=actor.user_id, now=now)
    assert Challenge.objects.count() == 1


def test_what_a_refusal_shows_of_a_challenge() -> None:
    actor, _ = make_protected()
    challenge = start_challenge(user_id=actor.user_id, now=clock.now())
    assert challenge.as_json() == {"id": challenge.id, "methods": ["totp", "recovery"], "webauthn": None}
