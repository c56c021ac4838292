"""Personal API tokens: named keys for curl and scripts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from apps.backend.pages import read, read_all
from apps.backend.transport import Call, Caller

MAX_DAYS: Final = 365
DEFAULT_DAYS: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalToken:
    """`prefix` is the part of the key that tells one from another."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None

    @property
    def may_write(self) -> bool:
        return "write" in self.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """The only time that the key itself is told; `token` is "" when the same request had been answered before."""

    id: UUID
    name: str
    token: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TokensApi:
    caller: Caller

    def list(self) -> tuple[PersonalToken, ...]:
        return read_all(PersonalToken, self.caller.send(Call(method="GET", path="/api/auth/tokens/")))

    def create(self, *, name: str, scopes: Sequence[str], expires_in_days: int, idempotency_key: str) -> NewToken:
        """Raises Invalid with fields, Conflict `too_many_tokens`, ReauthenticationRequired."""
        payload = {"name": name, "scopes": tuple(scopes), "expires_in_days": expires_in_days}
        call = Call(method="POST", path="/api/auth/tokens/", payload=payload, idempotency_key=idempotency_key)
        return read(NewToken, self.caller.send(call))

    def revoke(self, token_id: UUID) -> None:
        """Raises NotFound when it has ended already."""
        self.caller.send(Call(method="DELETE", path=f"/api/auth/tokens/{token_id}/"))
