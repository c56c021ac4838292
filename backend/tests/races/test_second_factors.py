"""The same proof, many times at once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from apps.accounts.models import ApiToken
from apps.common import clock
from apps.mail.models import OutgoingMail
from apps.mfa.models import Challenge, RecoveryCode, SecurityKey
from apps.mfa.refusals import BadCode, ChallengeExpired, LastFactorOfStaff
from apps.mfa.selectors import get_factors
from apps.mfa.services.challenges import answer_challenge, start_challenge
from apps.mfa.services.codes import take_code
from apps.mfa.services.security_keys import remove_key
from tests.factories.accounts import make_actor
from tests.factories.mfa import STEP, make_protected
from tests.mfa.authenticator import Authenticator
from tests.mfa.test_security_keys import register

CONTENDERS = 10

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def race(act: Callable[[int], Any], contenders: int = CONTENDERS) -> Counter[Any]:
    """What so many threads get that act at the same moment; an expected failure counts as its class."""
    barrier = Barrier(contenders)

    def run(number: int) -> Any:
        try:
            barrier.wait(timeout=20)
            return act(number)
        except (BadCode, ChallengeExpired, LastFactorOfStaff) as error:
            return type(error)
        finally:
            connection.close()

    with ThreadPoolExecutor(contenders) as pool:
        return Counter(pool.map(run, range(contenders)))


@pytest.mark.failure("A05")
def test_one_code_is_taken_once() -> None:
    actor, app = make_protected()
    now = clock.now()
    code = app.code(now)
    assert race(lambda _: take_code(user_id=actor.user_id, code=code, now=now)) == {True: 1, False: CONTENDERS - 1}


@pytest.mark.failure("A05")
def test_one_recovery_code_is_spent_once() -> None:
    actor, app = make_protected()
    now, code = clock.now(), app.recovery_codes[0]
    assert race(lambda _: take_code(user_id=actor.user_id, code=code, now=now)) == {True: 1, False: CONTENDERS - 1}
    assert RecoveryCode.objects.exclude(used_at=None).count() == 1
    assert OutgoingMail.objects.filter(kind="recovery_code_used").count() == 1


@pytest.mark.failure("A05")
def test_a_challenge_takes_five_attempts_however_many_come_at_once() -> None:
    actor, _ = make_protected()
    now = clock.now()
    challenge = start_challenge(user_id=actor.user_id, now=now)
    answers = race(lambda _: answer_challenge(challenge_id=challenge.id, code="wrong", now=now))
    assert answers == {BadCode: 5, ChallengeExpired: CONTENDERS - 5}
    assert Challenge.objects.get().attempts == 5


def test_one_challenge_with_many_right_answers_opens_one_session() -> None:
    actor, app = make_protected()
    now = clock.now()
    challenge = start_challenge(user_id=actor.user_id, now=now)
    right = [*app.recovery_codes[:3], app.code(now), app.code(now + STEP)]
    answers = race(lambda number: answer_challenge(challenge_id=challenge.id, code=right[number], now=now), 5)
    assert answers[actor.user_id] == 1
    assert answers[actor.user_id] + answers[ChallengeExpired] + answers[BadCode] == 5
    # Whoever was too late has spent nothing.
    assert RecoveryCode.objects.exclude(used_at=None).count() <= 1
    assert not ApiToken.objects.exists()


def test_staff_who_remove_two_factors_at_once_keep_one() -> None:
    actor = make_actor(is_staff=True)
    keys = [register(actor, Authenticator()).key.id for _ in range(2)]
    now = clock.now()
    answers = race(lambda number: remove_key(user_id=actor.user_id, key_id=keys[number], now=now), 2)
    assert answers == {None: 1, LastFactorOfStaff: 1}
    assert SecurityKey.objects.count() == 1


def test_two_first_factors_at_once_bring_one_set_of_recovery_codes() -> None:
    actor = make_actor()
    added = race(lambda _: len(register(actor, Authenticator()).recovery_codes), 2)
    assert added == {10: 1, 0: 1}
    assert get_factors(user_id=actor.user_id).recovery_codes_left == 10
