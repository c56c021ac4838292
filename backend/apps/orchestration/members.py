"""Changes among the people of a tenant that reach beyond it: into money, jobs, invitations and tokens."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.accounts.services.tokens import revoke_all_tokens
from apps.invitations.services import revoke_passkeys_of
from apps.orchestration.selectors import count_open_jobs_of
from apps.orchestration.services.deletions import follow_person
from apps.orchestration.services.jobs import cancel_jobs_of
from apps.orchestration.signup import open_tenant
from apps.tenants.selectors.members import find_profile
from apps.tenants.services import members, support
from apps.tenants.types import Actor, Role
from apps.worklog.selectors import count_entries_of


def list_consequences(*, actor: Actor, user_id: UUID) -> list[str]:
    """What it would mean if the person left the tenant, in sentences to be read before it is confirmed.

    Numbers of what is private are told to the person alone.
    """
    profile = find_profile(tenant=actor.tenant, user_id=user_id)
    is_you = user_id == actor.user_id
    who, whose = ("You", "your") if is_you else (profile.user.username, "their")
    team, private = count_entries_of(tenant=actor.tenant, author_id=user_id)
    jobs = count_open_jobs_of(tenant=actor.tenant, author_id=user_id)
    lines = [f"{who} will be signed out everywhere; all {whose} API tokens end."]
    if team:
        lines.append(f"{_counted(team, 'entry', 'entries')} shared with the team can still be read by everybody here.")
    if is_you and private:
        count = _counted(private, "private entry", "private entries")
        lines.append(f"Nobody will see your {count} any more, you included: export first.")
    elif not is_you:
        lines.append("Private entries stay too, and nobody will see them.")
    if jobs:
        lines.append(f"{_counted(jobs, 'open job', 'open jobs')} will be cancelled.")
    lines.append(f"{who} will go on with an empty tenant of {whose} own.")
    return lines


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


@transaction.atomic
def remove_member(*, actor: Actor, user_id: UUID, now: datetime) -> None:
    """Takes a person out of the tenant, or lets oneself leave; they go on as the owner of a fresh one.

    What they wrote stays. Their jobs here end before they spend anything more, and all their tokens end at once.
    Raises NotFound, OwnersOnly, LastOwner.
    """
    departure = members.check_out(actor=actor, user_id=user_id)
    fresh = open_tenant(name=departure.username, now=now)
    members.move_member(actor=actor, departure=departure, to=fresh, now=now)
    follow_person(user_id=user_id, to=fresh)
    cancel_jobs_of(
        tenant=actor.tenant,
        author_id=user_id,
        actor=actor.user_id,
        message="Cancelled: the person left the tenant",
        now=now,
    )
    support.revoke_grants_of(tenant=actor.tenant, user_id=user_id, actor=actor.user_id, now=now)
    revoke_passkeys_of(tenant=actor.tenant, user_id=user_id, actor=actor.user_id, now=now)
    reason = "Left the tenant" if departure.is_by_choice else "Removed from the tenant"
    revoke_all_tokens(user_id=user_id, actor=actor.user_id, reason=reason, now=now)


@transaction.atomic
def change_role(*, actor: Actor, user_id: UUID, role: Role, now: datetime) -> None:
    """Gives a person another role; whoever is no owner any more leaves no invite passkey behind."""
    if members.change_role(actor=actor, user_id=user_id, role=role, now=now) and role != Role.OWNER:
        revoke_passkeys_of(tenant=actor.tenant, user_id=user_id, actor=actor.user_id, now=now)


@transaction.atomic
def transfer_ownership(*, actor: Actor, user_id: UUID, now: datetime) -> None:
    """Makes another person the owner and the actor a member. Raises Invalid, OwnersOnly."""
    members.transfer_ownership(actor=actor, user_id=user_id, now=now)
    revoke_passkeys_of(tenant=actor.tenant, user_id=actor.user_id, actor=actor.user_id, now=now)
