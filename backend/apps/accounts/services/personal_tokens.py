"""Tokens that people name and make for their programs, and the end of any token by hand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.accounts.models import ApiToken, User
from apps.accounts.selectors import view_personal_token
from apps.accounts.services.tokens import issue_token, revoke_token
from apps.accounts.types import PersonalTokenView, TokenKind
from apps.common.errors import Conflict, NotFound
from apps.observability.services import record_audit

MAX_TOKENS: Final = 50


class TooManyTokens(Conflict):
    code = "too_many_tokens"
    message = f"You have {MAX_TOKENS} tokens already. Revoke one that you do not use any more."


def create_personal_token(
    *, user_id: UUID, name: str, scopes: Sequence[str], expires_at: datetime, now: datetime
) -> tuple[PersonalTokenView, str]:
    """Makes a token and returns it with its key, which exists nowhere else. Raises TooManyTokens.

    The person's row is locked while their tokens are counted, so the limit holds however many ask at once.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(id=user_id)
        live = ApiToken.objects.filter(user_id=user_id, kind=TokenKind.PERSONAL, expiry__gt=now)
        if live.count() >= MAX_TOKENS:
            raise TooManyTokens
        issued = issue_token(
            user_id=user_id, name=name, kind=TokenKind.PERSONAL, scopes=scopes, expires_at=expires_at, now=now
        )
        _audit("token.created", user_id, issued.public_id, now, after={"scopes": list(scopes)})
        row = ApiToken.objects.get(public_id=issued.public_id)
    return view_personal_token(row), issued.key


def end_token(*, user_id: UUID, public_id: UUID, kind: TokenKind, now: datetime) -> None:
    """Ends a session or a personal token of the person at once; raises NotFound for one that is not there."""
    with transaction.atomic():
        if not ApiToken.objects.filter(user_id=user_id, public_id=public_id, kind=kind).exists():
            raise NotFound
        if not revoke_token(user_id=user_id, public_id=public_id, now=now):
            raise NotFound
        _audit("token.revoked", user_id, public_id, now, after={"kind": kind.value})


def _audit(action: str, user_id: UUID, token_id: UUID, now: datetime, *, after: dict[str, object]) -> None:
    record_audit(
        tenant=None, actor=user_id, action=action, target_kind="token", target_id=token_id, after=after, now=now
    )
