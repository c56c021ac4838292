"""Reading support grants. A person sees their own, owners those of the whole tenant, staff the open ones."""

from datetime import datetime
from uuid import UUID

from django.db.models import Count, QuerySet

from apps.common.errors import NotFound
from apps.tenants.models import SupportAccess, SupportGrant
from apps.tenants.types import Actor, GrantScope, GrantState, GrantView, Person, Role, StaffGrantView, TenantName


def get_state(*, grant: SupportGrant, now: datetime) -> GrantState:
    """What the grant is worth at `now`."""
    if grant.revoked_at is not None:
        return GrantState.REVOKED
    return GrantState.EXPIRED if grant.expires_at <= now else GrantState.OPEN


def view_grant(*, grant: SupportGrant, now: datetime) -> GrantView:
    """A row of the lists below."""
    return GrantView(
        id=grant.id,
        reason=grant.reason,
        scopes=tuple(GrantScope(scope) for scope in grant.scopes),
        granted_by=Person(id=grant.granted_by_id, username=grant.granted_by.username),
        created_at=grant.created_at,
        expires_at=grant.expires_at,
        revoked_at=grant.revoked_at,
        state=get_state(grant=grant, now=now),
        access_count=getattr(grant, "access_count", 0),
    )


def list_grants(*, actor: Actor) -> QuerySet[SupportGrant]:
    """The actor's grants, newest first; for an owner everybody's in the tenant. Each with `access_count`."""
    grants = SupportGrant.objects.filter(tenant_id=actor.tenant)
    if actor.role != Role.OWNER:
        grants = grants.filter(granted_by_id=actor.user_id)
    return grants.select_related("granted_by").annotate(access_count=Count("accesses")).order_by("-id")


def get_grant(*, actor: Actor, grant_id: UUID) -> SupportGrant:
    """One of them; raises NotFound."""
    grant = list_grants(actor=actor).filter(id=grant_id).first()
    if grant is None:
        raise NotFound
    return grant


def list_accesses(*, actor: Actor, grant_id: UUID) -> QuerySet[SupportAccess]:
    """What was looked at by a grant that the actor sees, newest first. Raises NotFound."""
    grant = get_grant(actor=actor, grant_id=grant_id)
    return (
        SupportAccess.objects.filter(tenant_id=actor.tenant, grant_id=grant.id).select_related("staff").order_by("-id")
    )


def list_open_grants(*, now: datetime) -> QuerySet[SupportGrant]:
    """Over all tenants, for staff: every grant that may be used now, newest first."""
    return (
        SupportGrant.objects.filter(revoked_at=None, expires_at__gt=now)
        .select_related("granted_by", "tenant")
        .annotate(access_count=Count("accesses"))
        .order_by("-id")
    )


def view_staff_grant(*, grant: SupportGrant, now: datetime) -> StaffGrantView:
    """A row of the list of open grants."""
    tenant = TenantName(id=grant.tenant_id, name=grant.tenant.name)
    return StaffGrantView(tenant=tenant, grant=view_grant(grant=grant, now=now))
