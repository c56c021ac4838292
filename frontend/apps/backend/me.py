"""The signed-in person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.backend.auth import Tenant
from apps.backend.pages import read
from apps.backend.transport import Call, Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`time_zone` is an IANA name."""

    time_zone: str
    display_name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    id: UUID
    username: str
    email: str
    is_staff: bool
    tenant: Tenant
    role: str
    profile: Profile
    plan: str
    stripe_customer_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MeApi:
    caller: Caller

    def get(self) -> Me:
        return read(Me, self.caller.send(Call(method="GET", path="/api/me/")))

    def update(self, *, display_name: str, time_zone: str) -> Me:
        payload = {"display_name": display_name, "time_zone": time_zone}
        return read(Me, self.caller.send(Call(method="PATCH", path="/api/me/", payload=payload)))
