"""Customers and the people in them."""

import zoneinfo
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import transaction

from apps.accounts.services import users
from apps.common.errors import Invalid
from apps.common.tenancy import TenantId
from apps.tenants.models import Profile, Tenant
from apps.tenants.selectors import get_member
from apps.tenants.types import Actor, Member, Role


@cache
def list_time_zones() -> frozenset[str]:
    """The IANA names that a profile may carry."""
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def create_tenant(*, name: str, now: datetime) -> TenantId:
    """A new customer without people or money."""
    return TenantId(Tenant.objects.create(name=name, created_at=now).id)


def add_member(*, tenant: TenantId, user_id: UUID, role: Role, now: datetime, time_zone: str = "UTC") -> None:
    """Puts a person into the tenant. A person is in exactly one."""
    Profile.objects.create(tenant_id=tenant, user_id=user_id, role=role, time_zone=time_zone, created_at=now)


def edit_profile(*, actor: Actor, display_name: str | None = None, time_zone: str | None = None) -> Member:
    """Changes what is given and leaves the rest; raises Invalid on a time zone that does not exist."""
    if time_zone is not None and time_zone not in list_time_zones():
        raise Invalid(fields={"time_zone": ["Choose a time zone such as Europe/Zurich."]})
    with transaction.atomic():
        if display_name is not None:
            users.rename_user(user_id=actor.user_id, display_name=display_name)
        if time_zone is not None:
            Profile.objects.filter(tenant_id=actor.tenant, user_id=actor.user_id).update(time_zone=time_zone)
        return get_member(tenant=actor.tenant, user_id=actor.user_id)
