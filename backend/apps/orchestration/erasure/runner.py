"""Drives erasures whose day has come: one worker at a time by a lease, from the step where the last one ended."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q

from apps.common.clock import Clock
from apps.common.failpoints import failpoint
from apps.common.tenancy import TenantId
from apps.observability.services import record_audit
from apps.orchestration.erasure.case import Case, Place, find_done, mark_done
from apps.orchestration.erasure.steps import STEPS
from apps.orchestration.models import AccountDeletion
from apps.orchestration.personal_types import OPEN_DELETIONS, DeletionScope, DeletionState
from apps.orchestration.services.deletions import decide_scope, is_last_owner
from apps.reporting import personal_data as reporting
from apps.tenants import personal_data as tenants
from apps.tenants.selectors import find_member
from apps.tenants.types import Actor
from apps.worklog import personal_data as worklog

_log = structlog.get_logger(__name__)

# Longer than a task may run: by then whoever took the erasure up is dead.
LEASE: Final = timedelta(minutes=10)
_BATCH: Final = 50


def erase_due_accounts(*, clock: Clock) -> int:
    """Takes every due erasure as far as it comes, and returns how many came to their end. Over all tenants."""
    return sum(_erase_guarded(deletion_id, clock) for deletion_id in list_due(now=clock()))


def list_due(*, now: datetime) -> list[UUID]:
    """Deletions whose grace is over or that are half done, and that nobody is working on. Crosses tenants."""
    due = Q(state=DeletionState.SCHEDULED, due_at__lte=now) | Q(state=DeletionState.ERASING)
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    return list(
        AccountDeletion.objects.filter(due & free).order_by("due_at", "id").values_list("pk", flat=True)[:_BATCH]
    )


def _erase_guarded(deletion_id: UUID, clock: Clock) -> bool:
    """One that cannot go on is an alarm, not the end of everybody else's round."""
    try:
        return erase_account(deletion_id=deletion_id, clock=clock)
    except Exception:  # noqa: BLE001 - whatever went wrong, the next run takes the step up again
        _log.exception("erasure.stuck", deletion_id=str(deletion_id))
        AccountDeletion.objects.filter(pk=deletion_id).update(lease_until=None)
        return False


def erase_account(*, deletion_id: UUID, clock: Clock) -> bool:
    """Runs the steps that are left. False when one has to wait, somebody else is at it, or there is nothing to do."""
    case = claim(deletion_id=deletion_id, now=clock())
    if case is None:
        return False
    done = find_done(case)
    for name, step in STEPS:
        if name in done:
            continue
        failpoint(f"erasure_before_{name}")
        if not step(case, clock()):
            _log.info("erasure.waits", deletion_id=str(deletion_id), step=name)
            AccountDeletion.objects.filter(pk=deletion_id).update(lease_until=None)
            return False
        mark_done(case, name, lease_until=clock() + LEASE)
        failpoint(f"erasure_after_{name}")
    return True


@transaction.atomic
def claim(*, deletion_id: UUID, now: datetime) -> Case | None:
    """Takes a due erasure for this worker and, the first time, decides from the people of now how much goes."""
    row = AccountDeletion.objects.select_for_update(skip_locked=True).filter(pk=deletion_id).first()
    if row is None or (row.lease_until is not None and row.lease_until >= now):
        return None
    if row.state == DeletionState.SCHEDULED and row.due_at <= now:
        _begin(row, now=now)
    elif row.state != DeletionState.ERASING:
        return None
    row.lease_until = now + LEASE
    row.save(update_fields=["lease_until"])
    return _open(row)


def _begin(row: AccountDeletion, *, now: datetime) -> None:
    """The point of no return. A tenant that would be left without an owner gets whoever is longest there."""
    member = find_member(user_id=row.user_id)
    if member is None:
        raise LookupError("A person without a tenant cannot be erased.")
    actor = member.as_actor()
    row.tenant_id, row.scope = actor.tenant, decide_scope(actor=actor)
    row.state, row.started_at = DeletionState.ERASING, now
    row.save(update_fields=["tenant", "scope", "state", "started_at"])
    if is_last_owner(actor=actor):
        heir = _choose_heir(actor)
        tenants.make_owner(tenant=actor.tenant, user_id=heir)
        record_audit(
            tenant=actor.tenant,
            actor=None,
            action="member.role_changed",
            target_kind="user",
            target_id=heir,
            now=now,
            after={"role": "owner"},
            reason="The last owner's account is erased",
        )
    record_audit(
        tenant=actor.tenant,
        actor=None,
        action="account.erasure_started",
        target_kind="user",
        target_id=row.user_id,
        now=now,
        after={"scope": row.scope},
    )


def _choose_heir(actor: Actor) -> UUID:
    """Rather somebody who stays than somebody who is about to leave too."""
    others = tenants.list_others(tenant=actor.tenant, user_id=actor.user_id)
    leaving = AccountDeletion.objects.filter(state__in=OPEN_DELETIONS, user_id__in=others).values_list("user_id")
    staying = [user_id for user_id in others if user_id not in {row[0] for row in leaving}]
    return (staying or others)[0]


def _open(row: AccountDeletion) -> Case:
    tenant, scope = TenantId(row.tenant_id), DeletionScope(row.scope)
    is_whole = scope is DeletionScope.TENANT
    people = _list_unforgotten(tenant) if is_whole else (row.user_id,)
    return Case(
        deletion_id=row.pk,
        tenant=tenant,
        user_id=row.user_id,
        scope=scope,
        people=people,
        places=(Place(tenant, None if is_whole else row.user_id), *_list_former_places(tenant, people)),
        started_at=row.started_at or row.due_at,
    )


def _list_unforgotten(tenant: TenantId) -> tuple[UUID, ...]:
    erased = AccountDeletion.objects.filter(tenant_id=tenant, state=DeletionState.ERASED).values_list("user_id")
    gone = {row[0] for row in erased}
    return tuple(user_id for user_id in tenants.list_people(tenant=tenant) if user_id not in gone)


def _list_former_places(tenant: TenantId, people: tuple[UUID, ...]) -> list[Place]:
    """Tenants that the people had belonged to before. Crosses tenants."""
    places = []
    for user_id in people:
        former = {*worklog.list_tenants_of(author=user_id), *reporting.list_tenants_of(author=user_id)} - {tenant}
        places += [Place(place, user_id, is_former=True) for place in sorted(former)]
    return places
