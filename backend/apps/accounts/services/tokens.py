"""API tokens: only digests are stored, in knox's table layout."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from knox.crypto import create_token_string, hash_token
from knox.settings import CONSTANTS, knox_settings

from apps.accounts.models import ApiToken, RevokedToken
from apps.accounts.types import ALL_SCOPES, IssuedToken, TokenKind
from apps.observability.context import current_address, current_user_agent
from apps.observability.services import record_audit

_log = structlog.get_logger(__name__)

# How stale `last_used_at` may be: a write on each request would cost more than most requests.
TOUCH_INTERVAL: Final = timedelta(minutes=1)


def digest_key(key: str) -> str:
    """What is stored of a token, and what it is found by."""
    return str(hash_token(key))


def issue_token(
    *,
    user_id: UUID,
    name: str,
    now: datetime,
    kind: TokenKind = TokenKind.SESSION,
    scopes: Sequence[str] = ALL_SCOPES,
    expires_at: datetime | None = None,
    has_second_factor: bool = False,
) -> IssuedToken:
    """Makes a token that lives until `expires_at`, or for TOKEN_TTL. The key is returned here and never again.

    A session counts as freshly authenticated from now on, and with `has_second_factor` as opened with one. A personal
    token never does: it stands for a program.
    """
    key: str = knox_settings.TOKEN_PREFIX + create_token_string()
    is_session = kind == TokenKind.SESSION
    longest: datetime = now + knox_settings.TOKEN_TTL
    # The frontend's session lasts as long as its token: neither may go on where the other has ended.
    until = min(expires_at or longest, longest) if is_session else expires_at or longest
    token = ApiToken(
        digest=digest_key(key),
        token_key=key[: CONSTANTS.TOKEN_KEY_LENGTH],
        user_id=user_id,
        kind=kind,
        scopes=list(scopes),
        name=name,
        expiry=until,
        last_used_at=now if is_session else None,
        authenticated_at=now if is_session else None,
        second_factor_at=now if is_session and has_second_factor else None,
        address=current_address(),
        user_agent=current_user_agent(),
    )
    token.save(force_insert=True)
    _log.info(
        "token_issued",
        user_id=str(user_id),
        token_id=str(token.public_id),
        kind=kind,
        has_second_factor=has_second_factor,
    )
    return IssuedToken(key=key, expires_at=until, public_id=token.public_id)


def is_idle(*, last_used_at: datetime | None, now: datetime) -> bool:
    """Whether a session that was last used then has been left alone for too long."""
    return last_used_at is not None and now - last_used_at > settings.SESSION_IDLE


def touch_token(*, public_id: UUID, now: datetime) -> None:
    """Notes that the token is in use."""
    ApiToken.objects.filter(public_id=public_id).update(last_used_at=now)


def mark_authenticated(*, public_id: UUID, now: datetime) -> None:
    """Notes that the person behind the session has just proved again who they are."""
    ApiToken.objects.filter(public_id=public_id, kind=TokenKind.SESSION).update(authenticated_at=now)


def mark_second_factor(*, public_id: UUID, now: datetime) -> None:
    """Notes that the person behind the session has just shown a second factor."""
    ApiToken.objects.filter(public_id=public_id, kind=TokenKind.SESSION).update(second_factor_at=now)


def revoke_token(*, user_id: UUID, public_id: UUID, now: datetime) -> bool:
    """Ends one token of the person at once; False when it was gone already."""
    return _end(ApiToken.objects.filter(user_id=user_id, public_id=public_id), now=now) > 0


def revoke_personal_tokens(*, user_id: UUID, now: datetime) -> int:
    """Ends every token that stands for a program, and says how many there were; sessions stay."""
    return _end(ApiToken.objects.filter(user_id=user_id, kind=TokenKind.PERSONAL), now=now)


def revoke_all_tokens(
    *, user_id: UUID, actor: UUID | None, reason: str, now: datetime, except_public_id: UUID | None = None
) -> int:
    """Ends every token of the person, but for the one that is named, and says how many there were.

    Call inside a transaction. `actor` None is the system.
    """
    tokens = ApiToken.objects.filter(user_id=user_id)
    if except_public_id is not None:
        tokens = tokens.exclude(public_id=except_public_id)
    ended = _end(tokens, now=now)
    record_audit(
        tenant=None,
        actor=actor,
        action="tokens.revoked_all",
        target_kind="user",
        target_id=user_id,
        now=now,
        after={"tokens": ended},
        reason=reason,
    )
    return ended


@transaction.atomic
def _end(tokens: QuerySet[ApiToken], *, now: datetime) -> int:
    """Deletes the tokens and keeps the digests of those that had not expired, so that their use is noticed."""
    ended = list(tokens.select_for_update().order_by("digest"))
    RevokedToken.objects.bulk_create(
        [
            RevokedToken(
                digest=token.digest,
                user_id=token.user_id,
                public_id=token.public_id,
                revoked_at=now,
                expires_at=token.expiry,
            )
            for token in ended
            if token.expiry and token.expiry > now
        ]
    )
    ApiToken.objects.filter(digest__in=[token.digest for token in ended]).delete()
    return len(ended)


def note_refused(*, key: str) -> None:
    """Raises the alarm when a key that was let in nowhere is one that had been ended: a thief, or a forgotten copy."""
    revoked = RevokedToken.objects.filter(digest=digest_key(key)).first()
    if revoked is not None:
        _log.warning(
            "revoked_token_used",
            user_id=str(revoked.user_id),
            token_id=str(revoked.public_id),
            revoked_at=revoked.revoked_at.isoformat(),
            address=current_address(),
        )


def purge_tokens(*, now: datetime) -> int:
    """Deletes expired tokens, idle sessions and the digests of ended ones; returns how many. Goes over all people."""
    idle = Q(kind=TokenKind.SESSION, last_used_at__lt=now - settings.SESSION_IDLE)
    expired: int = ApiToken.objects.filter(idle | Q(expiry__lte=now)).delete()[0]
    forgotten: int = RevokedToken.objects.filter(expires_at__lte=now).delete()[0]
    return expired + forgotten
