"""Reading people and the tenants that they belong to."""

from uuid import UUID

from apps.common.errors import NotFound
from apps.common.tenancy import TenantId
from apps.tenants.models import Profile, Tenant
from apps.tenants.types import Member, Role


def _view(profile: Profile) -> Member:
    return Member(
        user_id=profile.user_id,
        username=profile.user.username,
        email=profile.user.email,
        display_name=profile.user.display_name,
        is_email_verified=profile.user.email_verified_at is not None,
        pending_email=profile.user.pending_email,
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


def has_tenant(*, tenant: TenantId) -> bool:
    """Whether there is such a customer."""
    return Tenant.objects.filter(id=tenant).exists()


def is_active_member(*, tenant: TenantId, user_id: UUID) -> bool:
    """Whether this person still is in the tenant, with an account that is open."""
    return Profile.objects.filter(tenant_id=tenant, user_id=user_id, user__is_active=True).exists()
