"""Support access: what people let staff see, and what staff looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.backend.pages import Page, read, read_page
from apps.backend.people import Person, TenantName
from apps.backend.transport import Call, Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """`state` is open, expired or revoked; `scopes` are worklog, reports, billing."""

    id: UUID
    reason: str
    scopes: tuple[str, ...]
    granted_by: Person
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    state: str
    access_count: int

    @property
    def is_open(self) -> bool:
        return self.state == "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffGrant(Grant):
    """An open grant with the tenant whose data it opens."""

    tenant: TenantName


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One look that staff took."""

    at: datetime
    staff: Person
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class SupportApi:
    caller: Caller

    def list(self, *, cursor: str | None = None, page_size: int = 25) -> Page[Grant]:
        """The person's own, newest first; for owners everybody's in the tenant."""
        query = {"cursor": cursor, "page_size": page_size}
        return read_page(Grant, self.caller.send(Call(method="GET", path="/api/tenant/support-grants/", query=query)))

    def open(self, *, reason: str, scopes: Sequence[str], minutes: int, idempotency_key: str) -> Grant:
        """Raises Invalid, ReauthenticationRequired."""
        payload = {"reason": reason, "scopes": list(scopes), "minutes": minutes}
        call = Call(method="POST", path="/api/tenant/support-grants/", payload=payload, idempotency_key=idempotency_key)
        return read(Grant, self.caller.send(call))

    def revoke(self, grant_id: UUID, *, idempotency_key: str) -> Grant:
        """Raises Conflict `wrong_state` for one that is over."""
        path = f"/api/tenant/support-grants/{grant_id}/revoke/"
        return read(Grant, self.caller.send(Call(method="POST", path=path, idempotency_key=idempotency_key)))

    def accesses(self, grant_id: UUID, *, cursor: str | None = None) -> Page[Access]:
        """Newest first."""
        path = f"/api/tenant/support-grants/{grant_id}/accesses/"
        return read_page(Access, self.caller.send(Call(method="GET", path=path, query={"cursor": cursor})))

    def open_to_staff(self, *, cursor: str | None = None, page_size: int = 50) -> Page[StaffGrant]:
        """Staff only: what may be looked at right now."""
        query = {"cursor": cursor, "page_size": page_size}
        call = Call(method="GET", path="/api/admin/support-grants/", query=query)
        return read_page(StaffGrant, self.caller.send(call))
