"""A sign-in whose password was right and whose second factor is still to come. It lives in the server-side session."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from apps.accounts.sealing import BrokenSeal, seal, unseal
from apps.backend.auth import Challenge

# As long as the backend keeps a challenge.
LASTS: Final = timedelta(minutes=5)
_SESSION_KEY: Final = "pending_sign_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSignIn:
    """`target` is the page that the person was on the way to."""

    challenge: Challenge
    target: str
    is_too_old: bool


def begin(request: HttpRequest, *, challenge: Challenge, target: str, now: datetime) -> None:
    """Remember the challenge. The session gets a new key: what somebody may have planted before leads nowhere."""
    request.session.cycle_key()
    request.session[_SESSION_KEY] = {
        "challenge": seal(json.dumps(asdict(challenge))),
        "target": target,
        "begun_at": now.isoformat(),
    }


def find(request: HttpRequest, *, now: datetime) -> PendingSignIn | None:
    """The sign-in that waits in this session, also one that has waited too long."""
    kept = request.session.get(_SESSION_KEY)
    if kept is None:
        return None
    try:
        found = json.loads(unseal(kept["challenge"]))
    except BrokenSeal:
        return None
    challenge = Challenge(id=found["id"], methods=tuple(found["methods"]), webauthn=found["webauthn"])
    begun_at = parse_datetime(kept["begun_at"]) or now
    return PendingSignIn(challenge=challenge, target=kept["target"], is_too_old=now - begun_at > LASTS)


def end(request: HttpRequest) -> None:
    request.session.pop(_SESSION_KEY, None)
