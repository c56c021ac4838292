"""Mails about changes in a tenant: nobody's place in it changes behind their back."""

from datetime import datetime
from typing import Final

from apps.mail.services import queue_mail
from apps.tenants.models import Profile, Tenant
from apps.tenants.types import Actor, Role

ROLE_CHANGED: Final = "member_role_changed"
REMOVED: Final = "member_removed"
LEFT: Final = "member_left"


def tell_role(*, actor: Actor, profile: Profile, now: datetime) -> None:
    """Tells a person which role somebody else gave them."""
    if profile.user_id == actor.user_id:
        return
    _queue(ROLE_CHANGED, to=profile, actor=actor, now=now, role=Role(profile.role).label.lower())


def tell_departure(*, actor: Actor, profile: Profile, is_by_choice: bool, now: datetime) -> None:
    """Tells the person, and the owners who stay, that the person is not in the tenant any more."""
    _queue(REMOVED, to=profile, actor=actor, now=now, is_by_choice=is_by_choice)
    owners = Profile.objects.filter(tenant_id=actor.tenant, role=Role.OWNER, user__is_active=True)
    for owner in owners.exclude(user_id=actor.user_id).select_related("user").order_by("id"):
        _queue(LEFT, to=owner, actor=actor, now=now, member=profile.user.username, is_by_choice=is_by_choice)


def _queue(kind: str, *, to: Profile, actor: Actor, now: datetime, **context: str | bool) -> None:
    tenant = Tenant.objects.get(id=actor.tenant)
    queue_mail(
        kind=kind,
        user_id=to.user_id,
        to=to.user.email,
        context={"username": to.user.username, "tenant": tenant.name, "by": actor.username, **context},
        now=now,
    )
