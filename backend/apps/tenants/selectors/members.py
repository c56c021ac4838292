"""Reading the people of a tenant, and the rules about who may change what about them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Greatest

from apps.common.errors import DomainError, NotFound
from apps.common.tenancy import TenantId
from apps.mfa.selectors import list_protected
from apps.tenants.models import Profile, Tenant
from apps.tenants.types import Actor, LastOwner, MemberRow, OwnersOnly, Role, TenantView

# An erased person keeps a place, because what is kept by law refers to it, with an address that no person can have.
FORGOTTEN: Final = Q(user__is_active=False, user__email__endswith="@invalid")


def get_tenant(*, actor: Actor) -> TenantView:
    """The actor's own tenant."""
    tenant = Tenant.objects.get(id=actor.tenant)
    return TenantView(
        id=TenantId(tenant.id),
        name=tenant.name,
        created_at=tenant.created_at,
        member_count=Profile.objects.filter(tenant_id=actor.tenant).exclude(FORGOTTEN).count(),
    )


def list_owner_ids(*, tenant: TenantId) -> frozenset[UUID]:
    """Whoever can run the tenant: owners whose accounts are open."""
    owners = Profile.objects.filter(tenant_id=tenant, role=Role.OWNER, user__is_active=True)
    return frozenset(owners.values_list("user_id", flat=True))


def list_members(*, actor: Actor) -> QuerySet[Profile]:
    """Everybody in the actor's tenant, longest first, each with `last_active_at`."""
    return (
        Profile.objects.filter(tenant_id=actor.tenant)
        .exclude(FORGOTTEN)
        .select_related("user")
        .annotate(last_active_at=Greatest(Max("user__auth_token_set__last_used_at"), "user__last_login"))
        .order_by("id")
    )


def find_profile(*, tenant: TenantId, user_id: UUID) -> Profile:
    """The person's place in this tenant; raises NotFound for everybody else."""
    profile = Profile.objects.select_related("user").filter(tenant_id=tenant, user_id=user_id).first()
    if profile is None:
        raise NotFound
    return profile


def refresh_actor(*, actor: Actor) -> Actor:
    """The actor in the role that they have now. Raises NotFound for somebody who has left."""
    return replace(actor, role=Role(find_profile(tenant=actor.tenant, user_id=actor.user_id).role))


def view_members(*, actor: Actor, profiles: Sequence[Profile]) -> list[MemberRow]:
    """Rows of `list_members` as the actor sees them: two queries, however many there are."""
    protected = list_protected(user_ids=[profile.user_id for profile in profiles])
    owners = list_owner_ids(tenant=actor.tenant)
    return [_view_member(profile, actor=actor, owners=owners, protected=protected) for profile in profiles]


def get_member_row(*, actor: Actor, user_id: UUID) -> MemberRow:
    """One person of the actor's tenant; raises NotFound."""
    profile = list_members(actor=actor).filter(user_id=user_id).first()
    if profile is None:
        raise NotFound
    return view_members(actor=actor, profiles=[profile])[0]


def _view_member(profile: Profile, *, actor: Actor, owners: Collection[UUID], protected: Collection[UUID]) -> MemberRow:
    return MemberRow(
        id=profile.user_id,
        username=profile.user.username,
        display_name=profile.user.display_name,
        email=profile.user.email,
        role=Role(profile.role),
        joined_at=profile.created_at,
        last_active_at=getattr(profile, "last_active_at", None),
        is_you=profile.user_id == actor.user_id,
        has_second_factor=profile.user_id in protected,
        can_change_role=can_change_role(actor, profile, owners=owners),
        can_remove=can_remove(actor, profile, owners=owners),
    )


def check_is_owner(actor: Actor) -> None:
    """Raises OwnersOnly: what concerns the tenant as a whole is for its owners, and never for a borrowed view."""
    if actor.role != Role.OWNER or actor.grant_id is not None:
        raise OwnersOnly


def _check_not_last(profile: Profile, owners: Collection[UUID]) -> None:
    if set(owners) == {profile.user_id}:
        raise LastOwner


def check_can_change_role(actor: Actor, profile: Profile, *, owners: Collection[UUID]) -> None:
    """Raises OwnersOnly, or LastOwner when nobody would be left to run the tenant. Owners may step down themselves."""
    check_is_owner(actor)
    _check_not_last(profile, owners)


def can_change_role(actor: Actor, profile: Profile, *, owners: Collection[UUID]) -> bool:
    return _passes(lambda: check_can_change_role(actor, profile, owners=owners))


def check_can_remove(actor: Actor, profile: Profile, *, owners: Collection[UUID]) -> None:
    """Raises OwnersOnly for another person, and LastOwner. Everybody may leave but the last owner."""
    if actor.grant_id is not None or profile.user_id != actor.user_id:
        check_is_owner(actor)
    _check_not_last(profile, owners)


def can_remove(actor: Actor, profile: Profile, *, owners: Collection[UUID]) -> bool:
    return _passes(lambda: check_can_remove(actor, profile, owners=owners))


def _passes(check: Callable[[], None]) -> bool:
    try:
        check()
    except DomainError:
        return False
    return True
