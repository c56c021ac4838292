"""Reading people and the tenants that they belong to."""

from datetime import datetime
from uuid import UUID

from django.db.models import F, Q

from apps.accounts.services.tokens import digest_key
from apps.common.errors import NotFound
from apps.common.tenancy import TenantId
from apps.tenants.models import Profile, Tenant
from apps.tenants.types import Bearer, Member, Role


def _view(profile: Profile) -> Member:
    return Member(
        user_id=profile.user_id,
        username=profile.user.username,
        email=profile.user.email,
        display_name=profile.user.display_name,
        is_staff=profile.user.is_staff,
        tenant=TenantId(profile.tenant_id),
        tenant_name=profile.tenant.name,
        role=Role(profile.role),
        time_zone=profile.time_zone,
        settings=profile.settings,
        created_at=profile.created_at,
    )


def find_member(*, user_id: UUID) -> Member | None:
    """The person in the one tenant that they belong to, or None."""
    profile = Profile.objects.select_related("user", "tenant").filter(user_id=user_id).first()
    return None if profile is None else _view(profile)


def get_member(*, tenant: TenantId, user_id: UUID) -> Member:
    """The person in the given tenant; raises NotFound."""
    member = find_member(user_id=user_id)
    if member is None or member.tenant != tenant:
        raise NotFound
    return member


def find_bearer(*, key: str, now: datetime) -> Bearer | None:
    """Who carries the token `key`: one query by its digest. None for an unknown, expired or closed one."""
    live = Q(user__auth_token_set__expiry__isnull=True) | Q(user__auth_token_set__expiry__gt=now)
    profile = (
        Profile.objects.select_related("user", "tenant")
        .filter(live, user__auth_token_set__digest=digest_key(key), user__is_active=True)
        .annotate(
            token_id=F("user__auth_token_set__public_id"),
            token_last_used_at=F("user__auth_token_set__last_used_at"),
        )
        .first()
    )
    if profile is None:
        return None
    return Bearer(
        member=_view(profile),
        user=profile.user,
        token_id=profile.token_id,
        token_last_used_at=profile.token_last_used_at,
    )


def has_tenant(*, tenant: TenantId) -> bool:
    """Whether there is such a customer."""
    return Tenant.objects.filter(id=tenant).exists()
