"""Invite passkeys, as owners see those of their tenant and staff see all."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.backend.people import Person, TenantName


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """`state` is active, used, expired or revoked. Without a `tenant` the key opens a new one."""

    id: UUID
    prefix: str
    state: str
    note: str
    bound_email: str
    promo_credit_cents: int
    tenant: TenantName | None
    role: str | None
    created_by: Person | None
    created_at: datetime
    expires_at: datetime | None
    used_by: Person | None
    used_at: datetime | None

    @property
    def promo_credit_micros(self) -> int:
        return self.promo_credit_cents * 10_000

    @property
    def shown(self) -> str:
        """What tells it from others: whom or what it is for, else how it begins."""
        return self.note or self.bound_email or f"{self.prefix}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasskey(Passkey):
    """The only time that the key itself is told; `passkey` is "" when the same request had been answered before."""

    passkey: str
