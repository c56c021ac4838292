"""Reading invite passkeys: staff see them all, owners those that lead into their own tenant."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.common.errors import Forbidden, NotFound
from apps.common.ids import TenantId
from apps.invitations.models import InvitePasskey
from apps.invitations.types import JoinedTenant, PasskeyState, PasskeyView, Person
from apps.tenants.selectors.members import check_is_owner
from apps.tenants.types import Actor, Role


def check_can_manage_passkeys(actor: Actor) -> None:
    """Raises Forbidden unless the actor is staff."""
    if not actor.is_staff:
        raise Forbidden("Only staff may manage invite passkeys.")


def get_state(*, passkey: InvitePasskey, now: datetime) -> PasskeyState:
    """What the key is worth at `now`."""
    if passkey.used_at is not None:
        return PasskeyState.USED
    if passkey.revoked_at is not None:
        return PasskeyState.REVOKED
    if passkey.expires_at is not None and passkey.expires_at <= now:
        return PasskeyState.EXPIRED
    return PasskeyState.ACTIVE


def match_state(*, state: PasskeyState, now: datetime) -> Q:
    """The same rule as `get_state`, as a condition on rows."""
    unspent = Q(used_at__isnull=True, revoked_at__isnull=True)
    return {
        PasskeyState.USED: Q(used_at__isnull=False),
        PasskeyState.REVOKED: Q(revoked_at__isnull=False),
        PasskeyState.EXPIRED: unspent & Q(expires_at__lte=now),
        PasskeyState.ACTIVE: unspent & (Q(expires_at__isnull=True) | Q(expires_at__gt=now)),
    }[state]


def view_passkey(*, passkey: InvitePasskey, now: datetime) -> PasskeyView:
    """The key as staff see it."""
    maker, user, tenant = passkey.created_by, passkey.used_by, passkey.tenant
    return PasskeyView(
        id=passkey.id,
        prefix=passkey.prefix,
        state=get_state(passkey=passkey, now=now),
        note=passkey.note,
        bound_email=passkey.bound_email,
        promo_credit_micros=passkey.promo_credit_micros,
        tenant=JoinedTenant(id=TenantId(tenant.id), name=tenant.name) if tenant else None,
        role=Role(passkey.role) if passkey.role else None,
        created_by=Person(id=maker.id, username=maker.username) if maker else None,
        created_at=passkey.created_at,
        expires_at=passkey.expires_at,
        used_by=Person(id=user.id, username=user.username) if user else None,
        used_at=passkey.used_at,
    )


def list_passkeys(*, actor: Actor, state: PasskeyState | None, now: datetime) -> QuerySet[InvitePasskey]:
    """Keys, newest first, of one state or of all."""
    check_can_manage_passkeys(actor)
    keys = InvitePasskey.objects.select_related("created_by", "used_by", "tenant").order_by("-id")
    return keys if state is None else keys.filter(match_state(state=state, now=now))


def list_tenant_passkeys(*, actor: Actor, state: PasskeyState | None, now: datetime) -> QuerySet[InvitePasskey]:
    """Keys into the actor's own tenant, newest first, whoever made them. Raises OwnersOnly."""
    check_is_owner(actor)
    keys = InvitePasskey.objects.filter(tenant_id=actor.tenant).select_related("created_by", "used_by", "tenant")
    return (keys if state is None else keys.filter(match_state(state=state, now=now))).order_by("-id")


def get_passkey(*, actor: Actor, passkey_id: UUID, now: datetime) -> PasskeyView:
    """One key; raises NotFound."""
    passkey = list_passkeys(actor=actor, state=None, now=now).filter(id=passkey_id).first()
    if passkey is None:
        raise NotFound
    return view_passkey(passkey=passkey, now=now)
