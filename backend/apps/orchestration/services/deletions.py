"""Asking for the deletion of an account, and changing one's mind while there is time."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from apps.accounts.personal_data import get_address
from apps.accounts.services.tokens import revoke_personal_tokens
from apps.billing import selectors as billing_selectors
from apps.common.errors import Invalid
from apps.common.money import format_dollars
from apps.common.tenancy import TenantId
from apps.mail.services import queue_mail
from apps.observability.services import record_audit
from apps.orchestration.erasure.terms import list_erased, list_kept
from apps.orchestration.models import AccountDeletion
from apps.orchestration.personal_types import (
    OPEN_DELETIONS,
    BalanceLoss,
    Blocker,
    DeletionNotScheduled,
    DeletionPreview,
    DeletionScope,
    DeletionState,
    LastOwner,
    StaffAccount,
)
from apps.orchestration.selectors import find_open_deletion
from apps.tenants import personal_data as tenants
from apps.tenants.types import Actor, Role


def preview_deletion(*, actor: Actor, now: datetime) -> DeletionPreview:
    """What a deletion would remove and keep, what stands in its way, and when it happens if it is scheduled."""
    deletion = find_open_deletion(user_id=actor.user_id)
    grace = timedelta(days=settings.ACCOUNT_DELETION_GRACE_DAYS)
    scope = DeletionScope(deletion.scope) if deletion else decide_scope(actor=actor)
    return DeletionPreview(
        scheduled_for=deletion.due_at if deletion else None,
        grace_days=grace.days,
        erased=list_erased(scope=scope),
        kept=list_kept(scope=scope, erased_at=deletion.due_at if deletion else now + grace),
        blockers=() if deletion else tuple(_list_blockers(actor, scope)),
    )


def decide_scope(*, actor: Actor) -> DeletionScope:
    """How much goes with the actor. A member never takes with them what a closed account of an owner has left."""
    if tenants.list_others(tenant=actor.tenant, user_id=actor.user_id):
        return DeletionScope.MEMBER
    erased = AccountDeletion.objects.filter(tenant_id=actor.tenant, state=DeletionState.ERASED).values_list("user_id")
    left = set(tenants.list_people(tenant=actor.tenant)) - {actor.user_id} - {row[0] for row in erased}
    return DeletionScope.MEMBER if left and actor.role != Role.OWNER else DeletionScope.TENANT


def _list_blockers(actor: Actor, scope: DeletionScope) -> list[Blocker]:
    blockers = []
    if actor.is_staff:
        blockers.append(Blocker(StaffAccount.code, StaffAccount.message))
    if is_last_owner(actor=actor):
        blockers.append(Blocker(LastOwner.code, LastOwner.message))
    balance = billing_selectors.get_balance(tenant=actor.tenant).balance_micros
    if scope is DeletionScope.TENANT and balance > 0:
        text = f"Your reserve still holds ${format_dollars(balance)}, which is lost with the account."
        blockers.append(Blocker(BalanceLoss.code, f"{text} Confirm that you accept this."))
    return blockers


def is_last_owner(*, actor: Actor) -> bool:
    """Whether others would be left without an owner who means to stay."""
    if actor.role != Role.OWNER or not tenants.list_others(tenant=actor.tenant, user_id=actor.user_id):
        return False
    owners = tenants.list_other_owners(tenant=actor.tenant, user_id=actor.user_id)
    leaving = AccountDeletion.objects.filter(tenant_id=actor.tenant, state__in=OPEN_DELETIONS, user_id__in=owners)
    return len(owners) == leaving.count()


def schedule_deletion(
    *, actor: Actor, confirm: str, reason: str, accepts_balance_loss: bool, now: datetime
) -> DeletionPreview:
    """Schedules the erasure of the actor's account after the grace period; once it is scheduled, changes nothing.

    Raises Invalid when `confirm` is not the actor's own name, LastOwner, BalanceLoss, StaffAccount.
    """
    if confirm != actor.username:
        raise Invalid(fields={"confirm": ["Type your own user name, exactly as it is written above."]})
    try:
        with transaction.atomic():
            if find_open_deletion(user_id=actor.user_id) is None:
                _schedule(actor=actor, reason=reason, accepts_balance_loss=accepts_balance_loss, now=now)
    except IntegrityError:
        # The same wish at the same moment: one of them was enough.
        if find_open_deletion(user_id=actor.user_id) is None:
            raise
    return preview_deletion(actor=actor, now=now)


def _schedule(*, actor: Actor, reason: str, accepts_balance_loss: bool, now: datetime) -> None:
    scope = decide_scope(actor=actor)
    _check_can_delete(actor, scope, accepts_balance_loss=accepts_balance_loss)
    deletion = AccountDeletion.objects.create(
        tenant_id=actor.tenant,
        user_id=actor.user_id,
        scope=scope,
        reason=reason,
        requested_at=now,
        due_at=now + timedelta(days=settings.ACCOUNT_DELETION_GRACE_DAYS),
    )
    ended = revoke_personal_tokens(user_id=actor.user_id, now=now)
    _record(deletion, action="deletion.scheduled", now=now, after={"due_at": str(deletion.due_at), "tokens": ended})
    queue_mail(
        kind="deletion_scheduled",
        user_id=actor.user_id,
        to=get_address(user_id=actor.user_id),
        context={
            "username": actor.username,
            "due_on": str(deletion.due_at.date()),
            "grace_days": settings.ACCOUNT_DELETION_GRACE_DAYS,
        },
        now=now,
        key=f"deletion_scheduled:{deletion.pk}",
    )


def _check_can_delete(actor: Actor, scope: DeletionScope, *, accepts_balance_loss: bool) -> None:
    kinds = {kind.code: kind for kind in (StaffAccount, LastOwner, BalanceLoss)}
    for blocker in _list_blockers(actor, scope):
        if not (blocker.code == BalanceLoss.code and accepts_balance_loss):
            raise kinds[blocker.code](blocker.message)


@transaction.atomic
def undo_deletion(*, actor: Actor, now: datetime) -> None:
    """Takes the wish back while the account still stands. Raises DeletionNotScheduled, also when it is being erased."""
    row = AccountDeletion.objects.select_for_update().filter(user_id=actor.user_id, state=DeletionState.SCHEDULED)
    deletion = row.first()
    if deletion is None:
        raise DeletionNotScheduled
    deletion.state, deletion.ended_at, deletion.reason = DeletionState.UNDONE, now, ""
    deletion.save(update_fields=["state", "ended_at", "reason"])
    _record(deletion, action="deletion.undone", now=now, after=None)
    queue_mail(
        kind="deletion_undone",
        user_id=actor.user_id,
        to=get_address(user_id=actor.user_id),
        context={"username": actor.username},
        now=now,
        key=f"deletion_undone:{deletion.pk}",
    )


def follow_person(*, user_id: UUID, to: TenantId) -> None:
    """Keeps a scheduled deletion where the person is, who has been moved into another tenant in the meantime."""
    scheduled = AccountDeletion.objects.filter(user_id=user_id, state=DeletionState.SCHEDULED)
    scheduled.update(tenant_id=to)


def _record(deletion: AccountDeletion, *, action: str, now: datetime, after: dict[str, object] | None) -> None:
    record_audit(
        tenant=deletion.tenant_id,
        actor=deletion.user_id,
        action=action,
        target_kind="user",
        target_id=deletion.user_id,
        now=now,
        after=after,
    )
