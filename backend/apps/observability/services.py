"""Writing down what happened. Call inside the transaction of the change itself, so that both or neither are kept."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.observability.context import current_address, current_origin, current_request_id
from apps.observability.models import AuditEvent, EventRecord


def record_event(
    *,
    tenant: UUID | None,
    subject_kind: str,
    subject_id: UUID,
    name: str,
    message: str,
    now: datetime,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Keeps one thing that happened to a subject. `message` is read by customers; `data` must be JSON."""
    EventRecord.objects.create(
        tenant_id=tenant,
        subject_kind=subject_kind,
        subject_id=subject_id,
        name=name,
        message=message,
        data=dict(data or {}),
        request_id=current_request_id(),
        at=now,
    )


def record_audit(
    *,
    tenant: UUID | None,
    actor: UUID | None,
    action: str,
    target_kind: str,
    target_id: object,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    on_behalf_of: UUID | None = None,
) -> None:
    """Keeps who changed what. `actor` None means the system itself.

    Neither secrets nor addresses of people belong into before or after. A change of many things is one row a thing,
    held together by the request id; what hangs on a thing (the tokens of a person) is a count in its row.
    """
    AuditEvent.objects.create(
        tenant_id=tenant,
        actor_id=actor,
        on_behalf_of_id=on_behalf_of,
        origin=current_origin(),
        action=action,
        target_kind=target_kind,
        target_id=str(target_id),
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
        reason=reason,
        address=current_address(),
        request_id=current_request_id(),
        at=now,
    )
