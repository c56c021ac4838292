"""Support access: a person lets staff see, for some minutes, what they see themselves. Each look is kept."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.common.db import require_transaction
from apps.common.errors import Invalid
from apps.common.states import WrongState
from apps.common.tenancy import TenantId
from apps.mail.services import queue_mail
from apps.observability.services import record_audit
from apps.tenants.models import SupportAccess, SupportGrant
from apps.tenants.selectors import find_member, is_active_member
from apps.tenants.selectors.support import get_grant, get_state, view_grant
from apps.tenants.types import (
    GRANT_MINUTES_MAX,
    GRANT_MINUTES_MIN,
    PATH_MAX,
    Actor,
    GrantScope,
    GrantState,
    GrantView,
    Member,
    SupportGrantInvalid,
)


@transaction.atomic
def open_grant(*, actor: Actor, reason: str, scopes: Sequence[GrantScope], minutes: int, now: datetime) -> GrantView:
    """Lets staff see these areas as the actor sees them. Raises Invalid."""
    fields: dict[str, list[str]] = {}
    if not reason.strip():
        fields["reason"] = ["Say what support is to look at."]
    if not scopes:
        fields["scopes"] = ["Choose at least one area."]
    if not GRANT_MINUTES_MIN <= minutes <= GRANT_MINUTES_MAX:
        fields["minutes"] = [f"Choose {GRANT_MINUTES_MIN} to {GRANT_MINUTES_MAX} minutes."]
    if fields:
        raise Invalid(fields=fields)
    grant = SupportGrant.objects.create(
        tenant_id=actor.tenant,
        granted_by_id=actor.user_id,
        reason=reason.strip(),
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=now + timedelta(minutes=minutes),
    )
    record_audit(
        tenant=actor.tenant,
        actor=actor.user_id,
        action="support_grant.opened",
        target_kind="support_grant",
        target_id=grant.id,
        after={"scopes": grant.scopes, "minutes": minutes},
        now=now,
    )
    return view_grant(grant=grant, now=now)


@transaction.atomic
def revoke_grant(*, actor: Actor, grant_id: UUID, now: datetime) -> GrantView:
    """Ends a grant at once. Raises NotFound for one that the actor does not see, WrongState for one that is over."""
    grant = get_grant(actor=actor, grant_id=grant_id)
    is_open = get_state(grant=grant, now=now) == GrantState.OPEN
    if not is_open or not _end(grant, actor=actor.user_id, now=now):
        raise WrongState("This grant is over already.")
    return view_grant(grant=grant, now=now)


def revoke_grants_of(*, tenant: TenantId, user_id: UUID, actor: UUID | None, now: datetime) -> int:
    """Ends every open grant that the person gave in the tenant."""
    require_transaction()
    grants = SupportGrant.objects.filter(tenant_id=tenant, granted_by_id=user_id)
    still_open = grants.filter(revoked_at=None, expires_at__gt=now).order_by("id")
    return sum(_end(grant, actor=actor, now=now) for grant in still_open)


def _end(grant: SupportGrant, *, actor: UUID | None, now: datetime) -> bool:
    if not SupportGrant.objects.filter(id=grant.id, revoked_at=None).update(revoked_at=now):
        return False
    grant.revoked_at = now
    record_audit(
        tenant=grant.tenant_id,
        actor=actor,
        action="support_grant.revoked",
        target_kind="support_grant",
        target_id=grant.id,
        now=now,
    )
    return True


@transaction.atomic
def use_grant(*, staff: Member, grant_id: UUID, scope: GrantScope, method: str, path: str, now: datetime) -> Member:
    """The person whose view is borrowed, with this access on record. Raises SupportGrantInvalid.

    The row is read, and locked against being revoked, at each use: a revoked grant opens nothing from then on.
    """
    grant = SupportGrant.objects.select_for_update(of=("self",), no_key=True).filter(id=grant_id).first()
    if not staff.is_staff or grant is None or scope not in grant.scopes:
        raise SupportGrantInvalid
    tenant = TenantId(grant.tenant_id)
    is_open = get_state(grant=grant, now=now) == GrantState.OPEN
    grantor = find_member(user_id=grant.granted_by_id)
    is_here = is_active_member(tenant=tenant, user_id=grant.granted_by_id)
    if not is_open or not is_here or grantor is None:
        raise SupportGrantInvalid
    _record_access(grant, staff=staff, grantor=grantor, method=method, path=path, now=now)
    return grantor


def _record_access(
    grant: SupportGrant, *, staff: Member, grantor: Member, method: str, path: str, now: datetime
) -> None:
    is_first = not SupportAccess.objects.filter(grant_id=grant.id).exists()
    SupportAccess.objects.create(
        tenant_id=grant.tenant_id, grant=grant, staff_id=staff.user_id, method=method, path=path[:PATH_MAX], at=now
    )
    record_audit(
        tenant=grant.tenant_id,
        actor=staff.user_id,
        on_behalf_of=grantor.user_id,
        action="support_grant.used",
        target_kind="support_grant",
        target_id=grant.id,
        after={"method": method, "path": path[:PATH_MAX]},
        now=now,
    )
    if is_first:
        queue_mail(
            kind="support_access_used",
            user_id=grantor.user_id,
            to=grantor.email,
            context={
                "username": grantor.username,
                "staff": staff.username,
                "reason": grant.reason,
                "at": f"{now:%Y-%m-%d %H:%M} UTC",
            },
            key=f"support_access_used:{grant.id}",
            now=now,
        )
