"""Words of this app, and the actor that every request and job carries."""

from dataclasses import dataclass
from uuid import UUID

from django.db import models

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
