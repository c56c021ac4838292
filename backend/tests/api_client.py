"""HTTP for tests: requests go through the whole middleware stack, as a person or as nobody."""

from typing import Any

from rest_framework.test import APIClient

from apps.accounts.services.tokens import issue_token
from apps.common import clock
from apps.tenants.types import Actor

Client = APIClient


def anonymous() -> APIClient:
    """Somebody without a token."""
    return APIClient()


def client_for(actor: Actor) -> APIClient:
    """The actor with a fresh token."""
    client = APIClient()
    token = issue_token(user_id=actor.user_id, name="test", now=clock.now())
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


def with_key(key: str) -> dict[str, Any]:
    """The header of an idempotent call: `client.post(url, body, **with_key("k1"))`."""
    return {"headers": {"Idempotency-Key": key}}
