"""Questions after the password: five minutes, five attempts, one success."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.mfa import gateways
from apps.mfa.models import MAX_ATTEMPTS, Challenge, TotpDevice
from apps.mfa.refusals import BadCode, BadKey, ChallengeExpired
from apps.mfa.selectors import count_recovery_codes
from apps.mfa.services import assertions, codes
from apps.mfa.services.guesses import limited
from apps.mfa.types import ChallengeView, Method, Purpose

LIFETIME: Final = timedelta(minutes=5)
# How long a dead challenge lies around before the person's next one takes it away.
_KEPT_FOR: Final = timedelta(days=1)


def digest_id(challenge_id: str) -> str:
    """What a challenge is found by. A fast digest is enough for 256 random bits."""
    return hashlib.sha256(challenge_id.encode("utf-8", "surrogatepass")).hexdigest()


def open_challenge(*, user_id: UUID, purpose: Purpose, webauthn_state: Mapping[str, Any] | None, now: datetime) -> str:
    """Keeps a question and returns its id, which exists nowhere else."""
    challenge_id = secrets.token_urlsafe(32)
    Challenge.objects.filter(user_id=user_id, expires_at__lt=now - _KEPT_FOR).delete()
    Challenge.objects.create(
        digest=digest_id(challenge_id),
        user_id=user_id,
        purpose=purpose,
        webauthn_state=None if webauthn_state is None else dict(webauthn_state),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    return challenge_id


def start_challenge(*, user_id: UUID, now: datetime, purpose: Purpose = Purpose.SIGN_IN) -> ChallengeView:
    """Asks the person for a second factor. Must not run in a transaction that the refusal of a sign-in undoes."""
    keys = assertions.list_known_keys(user_id=user_id)
    options, state = gateways.ask_to_sign(keys=keys) if keys else (None, None)
    challenge_id = open_challenge(user_id=user_id, purpose=purpose, webauthn_state=state, now=now)
    has_totp = TotpDevice.objects.filter(user_id=user_id, confirmed_at__isnull=False).exists()
    methods = {
        Method.TOTP: has_totp,
        Method.RECOVERY: count_recovery_codes(user_id=user_id) > 0,
        Method.WEBAUTHN: bool(keys),
    }
    return ChallengeView(
        id=challenge_id, methods=tuple(method for method, is_on in methods.items() if is_on), webauthn=options
    )


def answer_challenge(
    *,
    challenge_id: str,
    code: str | None = None,
    credential: Mapping[str, Any] | None = None,
    now: datetime,
    purpose: Purpose = Purpose.SIGN_IN,
) -> UUID:
    """Whose second factor answers the challenge: a code, or what a security key has signed.

    Raises ChallengeExpired, BadCode, and RateLimited when the person's codes were guessed at too often. Each call is
    an attempt, so it must not run in a transaction that a refusal undoes.
    """
    challenge = take_attempt(challenge_id=challenge_id, purpose=purpose, now=now)
    with limited(user_id=challenge.user_id):
        with transaction.atomic():
            is_right = _is_answered(challenge, code, credential, now)
            if is_right:
                close_challenge(challenge=challenge, now=now)
        if not is_right:
            raise BadCode if credential is None else BadKey
    return challenge.user_id


def _is_answered(challenge: Challenge, code: str | None, credential: Mapping[str, Any] | None, now: datetime) -> bool:
    if credential is None:
        return codes.take_code(user_id=challenge.user_id, code=code or "", now=now)
    state = challenge.webauthn_state
    return state is not None and assertions.take_assertion(
        user_id=challenge.user_id, state=state, answer=credential, now=now
    )


def take_attempt(*, challenge_id: str, purpose: Purpose, now: datetime, user_id: UUID | None = None) -> Challenge:
    """Counts one attempt at the challenge, exactly, however many come at once. Raises ChallengeExpired."""
    challenges = Challenge.objects.filter(digest=digest_id(challenge_id), purpose=purpose)
    if user_id is not None:
        challenges = challenges.filter(user_id=user_id)
    is_open = challenges.filter(used_at__isnull=True, expires_at__gt=now, attempts__lt=MAX_ATTEMPTS)
    if not is_open.update(attempts=F("attempts") + 1):
        raise ChallengeExpired
    challenge = challenges.first()
    if challenge is None:
        # Taken away in between, with the person's factors.
        raise ChallengeExpired
    return challenge


def close_challenge(*, challenge: Challenge, now: datetime) -> None:
    """Marks the challenge as answered; of many right answers at once, all but the first raise ChallengeExpired."""
    if not Challenge.objects.filter(digest=challenge.digest, used_at__isnull=True).update(used_at=now):
        raise ChallengeExpired
