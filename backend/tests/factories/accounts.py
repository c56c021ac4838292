"""People and tenants for tests."""

import itertools
from datetime import datetime

from django.db import transaction

from apps.accounts.services.users import create_user
from apps.billing.services.accounts import open_account
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.tenants.services import add_member, create_tenant
from apps.tenants.types import Actor, Role

PASSWORD = "correct horse battery staple"

_numbers = itertools.count(1)


def make_actor(
    *,
    username: str = "",
    email: str = "",
    password: str = PASSWORD,
    tenant: TenantId | None = None,
    role: Role = Role.OWNER,
    is_staff: bool = False,
    is_superuser: bool = False,
    time_zone: str = "UTC",
    now: datetime | None = None,
) -> Actor:
    """A person with a profile, in a tenant with a reserve account: a new tenant unless one is given.

    A member without a tenant gets one that somebody else owns: the database has no people without an owner.
    """
    moment = now or clock.now()
    if tenant is None and role != Role.OWNER:
        tenant = make_actor(now=moment).tenant
    username = username or f"person{next(_numbers)}"
    with transaction.atomic():
        user = create_user(
            user_id=uuid7(),
            username=username,
            email=email or f"{username}@example.org",
            password=password,
            is_staff=is_staff,
            is_superuser=is_superuser,
            now=moment,
        )
        if tenant is None:
            tenant = create_tenant(name=f"Tenant of {username}", now=moment)
            open_account(tenant=tenant, now=moment)
        add_member(tenant=tenant, user_id=user.id, role=role, time_zone=time_zone, now=moment)
    return Actor(user_id=user.id, username=username, tenant=tenant, role=role, is_staff=is_staff, time_zone=time_zone)


def make_staff(*, username: str = "") -> Actor:
    """A member of staff, with a tenant of their own."""
    return make_actor(is_staff=True, username=username)
