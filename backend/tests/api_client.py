"""HTTP for tests: requests go through the whole middleware stack, as a person or as nobody."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rest_framework.test import APIClient

from apps.accounts.models import ApiToken
from apps.accounts.services.tokens import issue_token
from apps.accounts.types import ALL_SCOPES, TokenKind
from apps.common import clock
from apps.tenants.types import Actor

Client = APIClient


def anonymous() -> APIClient:
    """Somebody without a token."""
    return APIClient()


def client_for(
    actor: Actor,
    *,
    kind: TokenKind = TokenKind.SESSION,
    scopes: Sequence[str] = ALL_SCOPES,
    has_second_factor: bool | None = None,
    authenticated_at: datetime | None = None,
) -> APIClient:
    """The actor with a fresh token: a session, with a second factor for staff, unless something else is asked for."""
    client = APIClient()
    token = issue_token(
        user_id=actor.user_id,
        name="test",
        kind=kind,
        scopes=scopes,
        has_second_factor=actor.is_staff if has_second_factor is None else has_second_factor,
        now=clock.now(),
    )
    if authenticated_at is not None:
        ApiToken.objects.filter(public_id=token.public_id).update(authenticated_at=authenticated_at)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


def with_key(key: str) -> dict[str, Any]:
    """The header of an idempotent call: `client.post(url, body, **with_key("k1"))`."""
    return {"headers": {"Idempotency-Key": key}}
