"""People, tenants and invite passkeys of the whole house, for staff."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.backend.pages import Page, read, read_page
from apps.backend.passkeys import NewPasskey, Passkey
from apps.backend.people import Person, TenantName
from apps.backend.tenant import Member
from apps.backend.transport import Call, Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """A person, and what the caller may do about them."""

    id: UUID
    username: str
    email: str
    display_name: str
    is_active: bool
    is_staff: bool
    is_email_verified: bool
    has_second_factor: bool
    tenant: TenantName
    role: str
    created_at: datetime
    last_active_at: datetime | None
    session_count: int
    token_count: int
    can_change_active: bool
    can_change_staff: bool
    can_help: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRow:
    id: UUID
    name: str
    created_at: datetime
    member_count: int
    owner: Person | None
    plan: str
    balance_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantWithMembers(TenantRow):
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyTerms:
    """What a new key gives. `tenant` and `role` come together: without them the key opens a new tenant."""

    note: str = ""
    expires_at: datetime | None = None
    bound_email: str = ""
    promo_credit_cents: int = 0
    tenant: UUID | None = None
    role: str | None = None

    @property
    def payload(self) -> dict[str, Any]:
        return {
            "note": self.note,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
            "bound_email": self.bound_email,
            "promo_credit_cents": self.promo_credit_cents,
            "tenant": str(self.tenant) if self.tenant else None,
            "role": self.role,
        }


@dataclass(frozen=True, slots=True)
class StaffApi:
    """Every call raises Forbidden for others than staff, SecondFactorRequired for staff without one."""

    caller: Caller

    def users(
        self,
        *,
        q: str = "",
        is_staff: bool | None = None,
        is_active: bool | None = None,
        cursor: str | None = None,
    ) -> Page[UserRow]:
        """Newest first; `q` is part of a name or an address."""
        query = {"q": q, "is_staff": is_staff, "is_active": is_active, "cursor": cursor}
        return read_page(UserRow, self.caller.send(Call(method="GET", path="/api/admin/users/", query=query)))

    def user(self, user_id: UUID) -> UserRow:
        return read(UserRow, self.caller.send(Call(method="GET", path=f"/api/admin/users/{user_id}/")))

    def change_user(
        self,
        user_id: UUID,
        *,
        is_active: bool | None = None,
        is_staff: bool | None = None,
        reason: str,
        idempotency_key: str,
    ) -> UserRow:
        """What is None stays. Raises ReauthenticationRequired, Forbidden."""
        payload: dict[str, Any] = {"is_active": is_active, "is_staff": is_staff, "reason": reason}
        chosen = {name: value for name, value in payload.items() if value is not None}
        call = Call(
            method="PATCH", path=f"/api/admin/users/{user_id}/", payload=chosen, idempotency_key=idempotency_key
        )
        return read(UserRow, self.caller.send(call))

    def send_reset(self, user_id: UUID, *, reason: str, idempotency_key: str) -> None:
        self._act(f"{user_id}/password-reset/", reason=reason, key=idempotency_key)

    def end_sessions(self, user_id: UUID, *, reason: str, idempotency_key: str) -> None:
        self._act(f"{user_id}/revoke-tokens/", reason=reason, key=idempotency_key)

    def reset_second_factor(self, user_id: UUID, *, reason: str, idempotency_key: str) -> None:
        """Raises ReauthenticationRequired."""
        self._act(f"{user_id}/second-factor/reset/", reason=reason, key=idempotency_key)

    def _act(self, path: str, *, reason: str, key: str) -> None:
        self.caller.send(
            Call(method="POST", path=f"/api/admin/users/{path}", payload={"reason": reason}, idempotency_key=key)
        )

    def tenants(self, *, q: str = "", cursor: str | None = None) -> Page[TenantRow]:
        """Newest first; `q` is part of the name, or an id."""
        query = {"q": q, "cursor": cursor}
        return read_page(TenantRow, self.caller.send(Call(method="GET", path="/api/admin/tenants/", query=query)))

    def tenant(self, tenant_id: UUID) -> TenantWithMembers:
        return read(TenantWithMembers, self.caller.send(Call(method="GET", path=f"/api/admin/tenants/{tenant_id}/")))

    def passkeys(self, *, state: str = "", cursor: str | None = None) -> Page[Passkey]:
        query = {"state": state, "cursor": cursor}
        return read_page(Passkey, self.caller.send(Call(method="GET", path="/api/admin/passkeys/", query=query)))

    def passkey(self, passkey_id: UUID) -> Passkey:
        return read(Passkey, self.caller.send(Call(method="GET", path=f"/api/admin/passkeys/{passkey_id}/")))

    def create_passkey(self, *, terms: PasskeyTerms, idempotency_key: str) -> NewPasskey:
        """Raises Invalid with fields."""
        call = Call(method="POST", path="/api/admin/passkeys/", payload=terms.payload, idempotency_key=idempotency_key)
        return read(NewPasskey, self.caller.send(call))

    def revoke_passkey(self, passkey_id: UUID, *, idempotency_key: str) -> Passkey:
        """Raises Conflict `wrong_state` for one that is used or revoked."""
        path = f"/api/admin/passkeys/{passkey_id}/revoke/"
        return read(Passkey, self.caller.send(Call(method="POST", path=path, idempotency_key=idempotency_key)))
