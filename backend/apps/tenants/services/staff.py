"""What staff do to accounts. Each act has a reason on record; a superuser is out of reach of all but superusers."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.accounts.services import passwords, users
from apps.accounts.services.tokens import revoke_all_tokens
from apps.common.errors import Forbidden, Invalid, NotFound
from apps.mfa.services.resets import reset_factors
from apps.observability.services import record_audit
from apps.tenants.models import Profile
from apps.tenants.selectors.staff import check_can_administer, is_superuser
from apps.tenants.types import Actor

# What stands as the reason of an act in Django admin, which asks for none.
BY_HAND: Final = "Django admin"


class NotYourself(Forbidden):
    message = "Nobody changes this about themselves."


class SuperusersOnly(Forbidden):
    message = "Only a superuser makes or unmakes staff."


def _check(*, actor: Actor, user_id: UUID, reason: str) -> bool:
    """Whether the actor is a superuser. Raises NotFound, Forbidden, Invalid."""
    profile = Profile.objects.select_related("user").filter(user_id=user_id).first()
    if profile is None:
        raise NotFound
    is_boss = is_superuser(user_id=actor.user_id)
    check_can_administer(actor, profile, is_boss=is_boss)
    if not reason.strip():
        raise Invalid(fields={"reason": ["Say why: it is kept."]})
    return is_boss


@transaction.atomic
def change_person(
    *,
    actor: Actor,
    user_id: UUID,
    is_active: bool | None = None,
    is_staff: bool | None = None,
    reason: str,
    now: datetime,
) -> None:
    """Opens or closes an account, which ends its tokens at once; gives or takes the run of the place."""
    is_boss = _check(actor=actor, user_id=user_id, reason=reason)
    if user_id == actor.user_id and (is_active is not None or is_staff is not None):
        raise NotYourself
    if is_staff is not None:
        if not is_boss:
            raise SuperusersOnly
        users.set_staff(actor=actor.user_id, user_id=user_id, is_staff=is_staff, reason=reason, now=now)
    if is_active is not None:
        users.set_active(actor=actor.user_id, user_id=user_id, is_active=is_active, reason=reason, now=now)


@transaction.atomic
def send_reset(*, actor: Actor, user_id: UUID, reason: str, now: datetime) -> None:
    """Mails the person a link to a new password, which staff never see."""
    _check(actor=actor, user_id=user_id, reason=reason)
    passwords.send_reset(user_id=user_id, actor=actor.user_id, reason=reason, now=now)


@transaction.atomic
def revoke_tokens(*, actor: Actor, user_id: UUID, reason: str, now: datetime) -> None:
    """Signs the person out everywhere."""
    _check(actor=actor, user_id=user_id, reason=reason)
    revoke_all_tokens(user_id=user_id, actor=actor.user_id, reason=reason, now=now)


@transaction.atomic
def reset_second_factor(*, actor: Actor, user_id: UUID, reason: str, now: datetime) -> None:
    """Takes a lost second factor away from the person, and signs them out everywhere."""
    _check(actor=actor, user_id=user_id, reason=reason)
    reset_factors(actor=actor.user_id, user_id=user_id, reason=reason, now=now)


@transaction.atomic
def rename_person(*, actor: Actor, user_id: UUID, display_name: str, now: datetime) -> None:
    """Corrects the name that documents are signed with. The name is personal, so the audit keeps only the fact."""
    _check(actor=actor, user_id=user_id, reason=BY_HAND)
    users.rename_user(user_id=user_id, display_name=display_name)
    record_audit(
        tenant=None,
        actor=actor.user_id,
        action="user.renamed",
        target_kind="user",
        target_id=user_id,
        reason=BY_HAND,
        now=now,
    )
