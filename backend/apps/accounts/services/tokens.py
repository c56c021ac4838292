"""API tokens: only digests are stored, in knox's table layout."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from knox.crypto import create_token_string, hash_token
from knox.settings import CONSTANTS, knox_settings

from apps.accounts.models import ApiToken
from apps.accounts.types import IssuedToken
from apps.observability.services import record_audit

# How stale `last_used_at` may be: a write on each request would cost more than most requests.
TOUCH_INTERVAL: Final = timedelta(minutes=1)


def digest_key(key: str) -> str:
    """What is stored of a token, and what it is found by."""
    return str(hash_token(key))


def issue_token(*, user_id: UUID, name: str, now: datetime) -> IssuedToken:
    """Makes a token that lives for TOKEN_TTL. The key is returned here and never again."""
    key: str = knox_settings.TOKEN_PREFIX + create_token_string()
    expires_at: datetime = now + knox_settings.TOKEN_TTL
    token = ApiToken(
        digest=digest_key(key),
        token_key=key[: CONSTANTS.TOKEN_KEY_LENGTH],
        user_id=user_id,
        name=name,
        expiry=expires_at,
        last_used_at=now,
    )
    token.save(force_insert=True)
    return IssuedToken(key=key, expires_at=expires_at, public_id=token.public_id)


def touch_token(*, public_id: UUID, now: datetime) -> None:
    """Notes that the token is in use."""
    ApiToken.objects.filter(public_id=public_id).update(last_used_at=now)


def revoke_token(*, user_id: UUID, public_id: UUID) -> bool:
    """Ends one token of the person at once; False when it was gone already."""
    deleted: int = ApiToken.objects.filter(user_id=user_id, public_id=public_id).delete()[0]
    return deleted > 0


def revoke_all_tokens(*, user_id: UUID, actor: UUID, reason: str, now: datetime) -> int:
    """Ends every token of the person and says how many there were. Call inside a transaction."""
    deleted: int = ApiToken.objects.filter(user_id=user_id).delete()[0]
    record_audit(
        tenant=None,
        actor=actor,
        action="tokens.revoked_all",
        target_kind="user",
        target_id=user_id,
        now=now,
        after={"tokens": deleted},
        reason=reason,
    )
    return deleted
