"""Changing who is in a tenant, and as what. The tenant's row is locked first, so that two owners take turns."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from apps.common.db import require_transaction
from apps.common.errors import Invalid, NotFound
from apps.common.tenancy import TenantId
from apps.observability.services import record_audit
from apps.tenants.models import Profile, Tenant
from apps.tenants.selectors.members import check_can_change_role, check_can_remove, check_is_owner
from apps.tenants.services.notices import tell_departure, tell_role
from apps.tenants.types import Actor, NotHere, Role


@dataclass(frozen=True, slots=True)
class Departure:
    """Somebody who is on the way out of a tenant: rules checked, rows locked."""

    user_id: UUID
    username: str
    is_by_choice: bool


def lock_members(*, tenant: TenantId) -> dict[UUID, Profile]:
    """Everybody in the tenant, as they are now, until the transaction ends. Raises NotFound without such a tenant."""
    require_transaction()
    if not Tenant.objects.select_for_update(no_key=True).filter(id=tenant).exists():
        raise NotFound
    profiles = Profile.objects.select_for_update(of=("self",), no_key=True).select_related("user")
    return {profile.user_id: profile for profile in profiles.filter(tenant_id=tenant).order_by("id")}


def hold_membership(*, actor: Actor) -> Actor:
    """The actor in the role of this moment, kept in the tenant until the transaction ends. Raises Forbidden.

    Work that is to be paid starts with this: either it starts before the person goes and is cancelled then, or never.
    """
    require_transaction()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT role FROM tenants_profile WHERE tenant_id = %s AND user_id = %s FOR SHARE",
            [actor.tenant, actor.user_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise NotHere
    return replace(actor, role=Role(row[0]))


def _as_of_now(actor: Actor, people: dict[UUID, Profile]) -> Actor:
    """The actor in the role that they have now, which may be another than when the request came in."""
    profile = people.get(actor.user_id)
    if profile is None:
        raise NotHere
    return replace(actor, role=Role(profile.role))


def _pick(people: dict[UUID, Profile], user_id: UUID) -> Profile:
    if user_id not in people:
        raise NotFound
    return people[user_id]


def _list_owners(people: dict[UUID, Profile]) -> frozenset[UUID]:
    """Those who can run the tenant: whose accounts are open."""
    return frozenset(
        user_id for user_id, profile in people.items() if profile.role == Role.OWNER and profile.user.is_active
    )


@transaction.atomic
def rename_tenant(*, actor: Actor, name: str, now: datetime) -> None:
    """Raises OwnersOnly."""
    people = lock_members(tenant=actor.tenant)
    check_is_owner(_as_of_now(actor, people))
    tenant = Tenant.objects.get(id=actor.tenant)
    before, tenant.name = tenant.name, name
    if before == name:
        return
    tenant.save(update_fields=["name"])
    record_audit(
        tenant=actor.tenant,
        actor=actor.user_id,
        action="tenant.renamed",
        target_kind="tenant",
        target_id=actor.tenant,
        before={"name": before},
        after={"name": name},
        now=now,
    )


@transaction.atomic
def change_role(*, actor: Actor, user_id: UUID, role: Role, now: datetime) -> bool:
    """Gives a person of the tenant another role, oneself included; False when they had it. Raises LastOwner."""
    people = lock_members(tenant=actor.tenant)
    actor, profile = _as_of_now(actor, people), _pick(people, user_id)
    if profile.role == role:
        check_is_owner(actor)
        return False
    check_can_change_role(actor, profile, owners=_list_owners(people))
    _set_role(profile, actor=actor, role=role, now=now)
    return True


def _set_role(profile: Profile, *, actor: Actor, role: Role, now: datetime) -> None:
    before, profile.role = profile.role, role
    profile.save(update_fields=["role"])
    record_audit(
        tenant=actor.tenant,
        actor=actor.user_id,
        action="member.role_changed",
        target_kind="user",
        target_id=profile.user_id,
        before={"role": before},
        after={"role": role.value},
        now=now,
    )
    tell_role(actor=actor, profile=profile, now=now)


@transaction.atomic
def transfer_ownership(*, actor: Actor, user_id: UUID, now: datetime) -> None:
    """Makes the person an owner and the actor a member, in this order: at no moment is there nobody."""
    people = lock_members(tenant=actor.tenant)
    actor = _as_of_now(actor, people)
    check_is_owner(actor)
    heir = people.get(user_id)
    if heir is None or user_id == actor.user_id or not heir.user.is_active:
        raise Invalid(fields={"member": ["Choose another person of this tenant."]})
    if heir.role != Role.OWNER:
        _set_role(heir, actor=actor, role=Role.OWNER, now=now)
    _set_role(people[actor.user_id], actor=actor, role=Role.MEMBER, now=now)


def check_out(*, actor: Actor, user_id: UUID) -> Departure:
    """Locks a person on the way out, oneself or another; raises NotFound, OwnersOnly, LastOwner.

    Only the first half of leaving, inside the caller's transaction: `move_member` is the other.
    """
    people = lock_members(tenant=actor.tenant)
    actor, profile = _as_of_now(actor, people), _pick(people, user_id)
    check_can_remove(actor, profile, owners=_list_owners(people))
    return Departure(user_id=user_id, username=profile.user.username, is_by_choice=user_id == actor.user_id)


def move_member(*, actor: Actor, departure: Departure, to: TenantId, now: datetime) -> None:
    """Makes the person the owner of the tenant `to`, which must be empty, and tells everybody concerned."""
    require_transaction()
    profile = Profile.objects.select_related("user").get(tenant_id=actor.tenant, user_id=departure.user_id)
    role = profile.role
    profile.tenant_id, profile.role, profile.created_at = to, Role.OWNER, now
    profile.save(update_fields=["tenant", "role", "created_at"])
    record_audit(
        tenant=actor.tenant,
        actor=actor.user_id,
        action="member.left" if departure.is_by_choice else "member.removed",
        target_kind="user",
        target_id=departure.user_id,
        before={"role": role},
        now=now,
    )
    record_audit(
        tenant=to,
        actor=actor.user_id if departure.is_by_choice else None,
        action="member.moved_in",
        target_kind="user",
        target_id=departure.user_id,
        after={"role": Role.OWNER.value},
        now=now,
    )
    tell_departure(actor=actor, profile=profile, is_by_choice=departure.is_by_choice, now=now)
