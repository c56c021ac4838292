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
class Notifications:
    """Which mails the person wants. Mails about security come whatever they choose."""

    weekly_nudge: bool
    low_balance: bool
    report_ready: bool
    product_news: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactorState:
    is_on: bool
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    scheduled_for: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`time_zone` is an IANA name."""

    time_zone: str
    display_name: str
    notifications: Notifications
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """`pending_email` is the address that a change waits to be confirmed from, "" when there is none."""

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
    is_email_verified: bool
    pending_email: str
    second_factor: SecondFactorState
    deletion: Deletion | None


@dataclass(frozen=True, slots=True)
class MeApi:
    caller: Caller

    def get(self) -> Me:
        return read(Me, self.caller.send(Call(method="GET", path="/api/me/")))

    def update(self, *, display_name: str, time_zone: str, notifications: Mapping[str, bool] | None = None) -> Me:
        """`notifications` may name some of them; the others stay."""
        payload: dict[str, Any] = {"display_name": display_name, "time_zone": time_zone}
        if notifications:
            payload["notifications"] = dict(notifications)
        return read(Me, self.caller.send(Call(method="PATCH", path="/api/me/", payload=payload)))
