"""Words of this app, and the actor that every request and job carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import models

from apps.accounts.types import IssuedToken, TokenKind
from apps.common.errors import Conflict, Forbidden
from apps.common.tenancy import TenantId


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    MEMBER = "member", "Member"


class GrantScope(models.TextChoices):
    """An area that a person may let support see."""

    WORKLOG = "worklog", "Worklog"
    REPORTS = "reports", "Reports and jobs"
    BILLING = "billing", "Billing"


class GrantState(models.TextChoices):
    """Derived from the row and the time, never stored."""

    OPEN = "open", "Open"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Revoked"


REASON_MAX: Final = 500
PATH_MAX: Final = 500
GRANT_MINUTES_MIN: Final = 5
GRANT_MINUTES_MAX: Final = 1440


# Where a profile's settings keep which mails the person wants. Mails about security come in any case.
NOTIFICATIONS: Final = "notifications"
DEFAULT_NOTIFICATIONS: Final[Mapping[str, bool]] = {
    "weekly_nudge": True,
    "low_balance": True,
    "report_ready": True,
    "product_news": False,
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, for which tenant, in which role. Holds no permission logic: rules are `check_can_x(actor, thing)`."""

    user_id: UUID
    username: str
    tenant: TenantId
    role: Role
    is_staff: bool
    time_zone: str
    # Set while staff look at what this person sees, by the person's own grant: read-only, and not the customer's
    # activity, so nothing that counts use may count it.
    grant_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a tenant, as the API shows one."""

    user_id: UUID
    username: str
    email: str
    display_name: str
    is_email_verified: bool
    # The address that waits for its proof, or "".
    pending_email: str
    is_staff: bool
    tenant: TenantId
    tenant_name: str
    role: Role
    time_zone: str
    settings: Mapping[str, Any]
    created_at: datetime

    @property
    def notifications(self) -> Mapping[str, bool]:
        """Which mails the person wants, with what holds until they choose."""
        return {**DEFAULT_NOTIFICATIONS, **self.settings.get(NOTIFICATIONS, {})}

    def as_actor(self) -> Actor:
        """The person as services take one."""
        return Actor(
            user_id=self.user_id,
            username=self.username,
            tenant=self.tenant,
            role=self.role,
            is_staff=self.is_staff,
            time_zone=self.time_zone,
        )


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person with the token that was just issued to them."""

    member: Member
    token: IssuedToken


@dataclass(frozen=True, slots=True)
class Bearer:
    """The person behind the token of a request."""

    member: Member
    token_id: UUID
    token_last_used_at: datetime | None
    kind: TokenKind
    scopes: Sequence[str]
    authenticated_at: datetime | None
    second_factor_at: datetime | None
    # The support grant by which `member` is not the token's owner but the person who gave it.
    grant_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever did something, as others see them."""

    id: UUID
    username: str


@dataclass(frozen=True, slots=True)
class TenantName:
    """A customer in passing."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A row of the audit with the names of those it tells about. `origin` is empty in rows from before it was kept."""

    id: UUID
    at: datetime
    action: str
    actor: Person | None
    on_behalf_of: Person | None
    origin: str
    target_kind: str
    target_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str
    address: str | None
    request_id: str
    tenant: TenantName | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person in a tenant, as the others in it see them."""

    id: UUID
    username: str
    display_name: str
    email: str
    role: Role
    joined_at: datetime
    last_active_at: datetime | None
    is_you: bool
    has_second_factor: bool
    can_change_role: bool
    can_remove: bool


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as staff see one, with what the member of staff who asks may do."""

    id: UUID
    username: str
    email: str
    display_name: str
    is_active: bool
    is_staff: bool
    is_email_verified: bool
    has_second_factor: bool
    tenant: TenantName
    role: Role
    created_at: datetime
    last_active_at: datetime | None
    session_count: int
    token_count: int
    can_change_active: bool
    can_change_staff: bool
    can_help: bool


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A customer as staff see one. Its money is billing's to tell."""

    id: UUID
    name: str
    created_at: datetime
    member_count: int
    owner: Person | None


@dataclass(frozen=True, slots=True)
class TenantView:
    """A customer, as the people in it see it."""

    id: TenantId
    name: str
    created_at: datetime
    member_count: int


class LastOwner(Conflict):
    code = "last_owner"
    message = "This is the last owner. Make somebody else an owner first."


class OwnersOnly(Forbidden):
    message = "Only an owner can do this."


class NotHere(Forbidden):
    message = "You do not belong to this tenant any more."


@dataclass(frozen=True, slots=True)
class GrantView:
    """A support grant, as the person who gave it and the owners see it."""

    id: UUID
    reason: str
    scopes: Sequence[GrantScope]
    granted_by: Person
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    state: GrantState
    access_count: int


@dataclass(frozen=True, slots=True)
class StaffGrantView:
    """The same for staff, with the customer whose data it opens."""

    grant: GrantView
    tenant: TenantName


class SupportGrantInvalid(Forbidden):
    """The same for a grant that is unknown, over, of another area or used by somebody who is not staff."""

    code = "support_grant_invalid"
    message = "This support grant does not allow that."


class NobodyThere(Conflict):
    code = "tenant_has_no_owner"
    message = "Nobody is left in this tenant who could welcome a member."
