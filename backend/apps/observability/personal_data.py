"""What is written down about a person in this app: read for their export, deleted or blanked at their erasure."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.common.db import erasing
from apps.observability.models import AuditEvent, EventRecord


def _of(user_id: UUID) -> Q:
    """What the person did, and what was done to their account."""
    return Q(actor_id=user_id) | Q(target_kind="user", target_id=str(user_id))


def iter_audit(*, user_id: UUID) -> Iterator[dict[str, Any]]:
    """What the person did and what was done to them, oldest first. Who else acted is told by id only."""
    for row in AuditEvent.objects.filter(_of(user_id)).order_by("id").iterator(chunk_size=500):
        is_own = row.actor_id == user_id
        yield {
            "at": row.at,
            "action": row.action,
            "by": "you" if is_own else str(row.actor_id or "the system"),
            "target_kind": row.target_kind,
            "target_id": row.target_id,
            "before": row.before,
            "after": row.after,
            "reason": row.reason,
            # Where a member of staff sat is theirs.
            "address": row.address if is_own else None,
            "request_id": row.request_id,
        }


def iter_events(*, tenant: UUID, subject_ids: Sequence[UUID]) -> Iterator[dict[str, Any]]:
    """What happened to some subjects of the tenant, oldest first."""
    rows = EventRecord.objects.filter(tenant_id=tenant, subject_id__in=subject_ids).order_by("id")
    for row in rows.iterator(chunk_size=500):
        yield {
            "at": row.at,
            "subject_kind": row.subject_kind,
            "subject_id": row.subject_id,
            "name": row.name,
            "message": row.message,
            "data": row.data,
        }


@transaction.atomic
def erase_events(*, tenant: UUID, subject_ids: Sequence[UUID]) -> int:
    """Deletes what happened to some subjects of the tenant; how many rows there were."""
    with erasing():
        return EventRecord.objects.filter(tenant_id=tenant, subject_id__in=subject_ids).delete()[0]


@transaction.atomic
def erase_tenant_events(*, tenant: UUID, limit: int) -> int:
    """Deletes so many of everything that happened in the tenant; how many rows there were. 0: all are gone."""
    oldest = EventRecord.objects.filter(tenant_id=tenant).order_by("id").values("pk")[:limit]
    with erasing():
        return EventRecord.objects.filter(pk__in=oldest).delete()[0]


@transaction.atomic
def blank_audit(*, user_id: UUID) -> int:
    """Leaves of the person's audit rows who, what, when and which ids; how many rows had more."""
    with erasing():
        # What they did to others may have to be answered for: only their words and network address go.
        own = AuditEvent.objects.filter(actor_id=user_id).exclude(reason="", address=None)
        blanked = own.update(reason="", address=None)
        about = AuditEvent.objects.filter(_of(user_id), target_kind="user").exclude(
            before=None, after=None, reason="", address=None
        )
        return blanked + about.update(before=None, after=None, reason="", address=None)


@transaction.atomic
def blank_tenant_audit(*, tenant: UUID) -> int:
    """The same for everything that was audited in a tenant of which nobody is left."""
    with erasing():
        rows = AuditEvent.objects.filter(tenant_id=tenant).exclude(before=None, after=None, reason="", address=None)
        return rows.update(before=None, after=None, reason="", address=None)
