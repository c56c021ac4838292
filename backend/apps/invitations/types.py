"""Words of this app."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import models

from apps.common.tenancy import TenantId
from apps.tenants.types import Role


class PasskeyState(models.TextChoices):
    """Derived from the row and the time, never stored."""

    ACTIVE = "active", "Active"
    USED = "used", "Used"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"


@dataclass(frozen=True, slots=True)
class Person:
    """Who made or used a key."""

    id: UUID
    username: str


@dataclass(frozen=True, slots=True)
class JoinedTenant:
    """The tenant that a key leads into."""

    id: TenantId
    name: str


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """An invite passkey as staff see it: everything but the key."""

    id: UUID
    prefix: str
    state: PasskeyState
    note: str
    bound_email: str
    promo_credit_micros: int
    tenant: JoinedTenant | None
    role: Role | None
    created_by: Person | None
    created_at: datetime
    expires_at: datetime | None
    used_by: Person | None
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class RedeemedPasskey:
    """What a key gives to the person who spent it. Without a tenant they get a new one."""

    id: UUID
    promo_credit_micros: int
    tenant: TenantId | None
    role: Role | None
