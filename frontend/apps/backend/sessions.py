"""Where the person is signed in."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.backend.pages import read_all
from apps.backend.transport import Call, Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`device` is in words ("Firefox on Linux"), empty when unknown; `address` is the network address."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    address: str | None
    device: str
    is_current: bool
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class SessionsApi:
    caller: Caller

    def list(self) -> tuple[Session, ...]:
        return read_all(Session, self.caller.send(Call(method="GET", path="/api/auth/sessions/")))

    def revoke(self, session_id: UUID) -> None:
        """Raises NotFound when it has ended already."""
        self.caller.send(Call(method="DELETE", path=f"/api/auth/sessions/{session_id}/"))
