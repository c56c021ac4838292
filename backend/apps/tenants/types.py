"""Words of this app, and the actor that every request and job carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from apps.accounts.types import IssuedToken, TokenKind
from apps.common.tenancy import TenantId


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    MEMBER = "member", "Member"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, for which tenant, in which role. Holds no permission logic: rules are `check_can_x(actor, thing)`."""

    user_id: UUID
    username: str
    tenant: TenantId
    role: Role
    is_staff: bool
    time_zone: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a tenant, as the API shows one."""

    user_id: UUID
    username: str
    email: str
    display_name: str
    is_staff: bool
    tenant: TenantId
    tenant_name: str
    role: Role
    time_zone: str
    settings: Mapping[str, Any]
    created_at: datetime

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
