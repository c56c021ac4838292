"""The tenant, its people and the invitations into it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.backend.pages import Page, read, read_page
from apps.backend.passkeys import NewPasskey, Passkey
from apps.backend.transport import Call, Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantDetails:
    id: UUID
    name: str
    created_at: datetime
    member_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person in the tenant, and what the caller may do about them."""

    id: UUID
    username: str
    display_name: str
    email: str
    role: str
    joined_at: datetime
    last_active_at: datetime | None
    is_you: bool
    has_second_factor: bool
    can_change_role: bool
    can_remove: bool

    @property
    def shown(self) -> str:
        return self.display_name or self.username


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDetails(Member):
    """The same with what it would mean if the person left, in sentences."""

    consequences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TenantApi:
    """Changes of people raise ReauthenticationRequired when the last proof of identity is too old."""

    caller: Caller

    def get(self) -> TenantDetails:
        return read(TenantDetails, self.caller.send(Call(method="GET", path="/api/tenant/")))

    def rename(self, *, name: str, idempotency_key: str) -> TenantDetails:
        """Owners only; raises Forbidden, Invalid."""
        call = Call(method="PATCH", path="/api/tenant/", payload={"name": name}, idempotency_key=idempotency_key)
        return read(TenantDetails, self.caller.send(call))

    def members(self, *, cursor: str | None = None, page_size: int = 50) -> Page[Member]:
        """Longest there first."""
        query = {"cursor": cursor, "page_size": page_size}
        return read_page(Member, self.caller.send(Call(method="GET", path="/api/tenant/members/", query=query)))

    def member(self, user_id: UUID) -> MemberDetails:
        return read(MemberDetails, self.caller.send(Call(method="GET", path=f"/api/tenant/members/{user_id}/")))

    def change_role(self, user_id: UUID, *, role: str, idempotency_key: str) -> Member:
        """Owners only. Raises Conflict `last_owner`."""
        return read(Member, self._send("PATCH", f"members/{user_id}/", {"role": role}, idempotency_key))

    def remove(self, user_id: UUID, *, idempotency_key: str) -> None:
        """Owners, or the person themselves. All tokens of the person end. Raises Conflict `last_owner`."""
        self._send("DELETE", f"members/{user_id}/", None, idempotency_key)

    def hand_over(self, user_id: UUID, *, idempotency_key: str) -> Member:
        """That person becomes owner, the caller a member."""
        return read(Member, self._send("POST", "transfer/", {"member": str(user_id)}, idempotency_key))

    def passkeys(self, *, state: str = "", cursor: str | None = None, page_size: int = 50) -> Page[Passkey]:
        """Owners only; raises Forbidden."""
        query = {"state": state, "cursor": cursor, "page_size": page_size}
        return read_page(Passkey, self.caller.send(Call(method="GET", path="/api/tenant/passkeys/", query=query)))

    def invite(
        self, *, role: str, bound_email: str, note: str, expires_at: datetime | None, idempotency_key: str
    ) -> NewPasskey:
        payload = {
            "role": role,
            "bound_email": bound_email,
            "note": note,
            "expires_at": expires_at.isoformat() if expires_at else None,
        }
        return read(NewPasskey, self._send("POST", "passkeys/", payload, idempotency_key))

    def revoke_passkey(self, passkey_id: UUID, *, idempotency_key: str) -> Passkey:
        """Raises Conflict `wrong_state` for one that is used or revoked."""
        return read(Passkey, self._send("POST", f"passkeys/{passkey_id}/revoke/", None, idempotency_key))

    def _send(self, method: str, path: str, payload: dict[str, Any] | None, key: str) -> Any:
        return self.caller.send(Call(method=method, path=f"/api/tenant/{path}", payload=payload, idempotency_key=key))
