"""Customers and the people in them."""

import zoneinfo
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from uuid import UUID

from django.db import transaction

from apps.accounts.services import users
from apps.common.errors import Invalid
from apps.common.tenancy import TenantId
from apps.observability.services import record_audit
from apps.tenants.models import Profile, Tenant
from apps.tenants.selectors import get_member
from apps.tenants.types import NOTIFICATIONS, Actor, Member, NobodyThere, Role


@cache
def list_time_zones() -> frozenset[str]:
    """The IANA names that a profile may carry."""
    return frozenset(zoneinfo.available_timezones() - {"localtime", "Factory"})


def create_tenant(*, name: str, now: datetime) -> TenantId:
    """A new customer without people or money."""
    return TenantId(Tenant.objects.create(name=name, created_at=now).id)


def add_member(*, tenant: TenantId, user_id: UUID, role: Role, now: datetime, time_zone: str = "UTC") -> None:
    """Puts a person into the tenant. A person is in exactly one. Raises NobodyThere."""
    if role != Role.OWNER and not Profile.objects.filter(tenant_id=tenant, role=Role.OWNER).exists():
        raise NobodyThere
    Profile.objects.create(tenant_id=tenant, user_id=user_id, role=role, time_zone=time_zone, created_at=now)


def edit_profile(
    *,
    actor: Actor,
    display_name: str | None = None,
    time_zone: str | None = None,
    notifications: Mapping[str, bool] | None = None,
    now: datetime,
) -> Member:
    """Changes what is given and leaves the rest, also of the notifications. Raises Invalid on an unknown time zone."""
    if time_zone is not None and time_zone not in list_time_zones():
        raise Invalid(fields={"time_zone": ["Choose a time zone such as Europe/Zurich."]})
    with transaction.atomic():
        if display_name is not None:
            users.rename_user(user_id=actor.user_id, display_name=display_name)
        profile = Profile.objects.select_for_update(no_key=True).get(tenant_id=actor.tenant, user_id=actor.user_id)
        before = _view_settings(profile)
        if time_zone is not None:
            profile.time_zone = time_zone
        if notifications:
            profile.settings = {
                **profile.settings,
                NOTIFICATIONS: {**profile.settings.get(NOTIFICATIONS, {}), **notifications},
            }
        profile.save(update_fields=["time_zone", "settings"])
        after = _view_settings(profile)
        if display_name is not None or before != after:
            # The name itself is personal: the audit says that it changed, not what it is.
            _audit(actor, before, {**after, "is_renamed": display_name is not None}, now)
        return get_member(tenant=actor.tenant, user_id=actor.user_id)


def _view_settings(profile: Profile) -> dict[str, object]:
    return {"time_zone": profile.time_zone, NOTIFICATIONS: profile.settings.get(NOTIFICATIONS, {})}


def _audit(actor: Actor, before: Mapping[str, object], after: Mapping[str, object], now: datetime) -> None:
    record_audit(
        tenant=actor.tenant,
        actor=actor.user_id,
        action="profile.changed",
        target_kind="user",
        target_id=actor.user_id,
        before=before,
        after=after,
        now=now,
    )
