"""Writing down who changed what about money, inside the transaction of the change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.billing.models import BillingAuditLog
from apps.common.db import require_transaction
from apps.common.tenancy import TenantId
from apps.observability.context import current_address, current_request_id
from apps.observability.services import record_audit


def record_change(
    *,
    tenant: TenantId | None,
    actor: UUID | None,
    action: str,
    target_kind: str,
    target_id: UUID,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> BillingAuditLog:
    """One row of the billing audit log, and the same in the audit of the house. `actor` None is the system itself.

    The first is tied to its customer and its person by foreign keys and is part of the books; the second is the one
    place where everything that was changed can be searched (docs/decisions/0010).
    """
    require_transaction()
    record_audit(
        tenant=tenant,
        actor=actor,
        action=action,
        target_kind=target_kind,
        target_id=target_id,
        before=before,
        after=after,
        reason=reason,
        now=now,
    )
    return BillingAuditLog.objects.create(
        tenant_id=tenant,
        actor_id=actor,
        action=action,
        target_kind=target_kind,
        target_id=target_id,
        before=None if before is None else dict(before),
        after=None if after is None else dict(after),
        reason=reason,
        address=current_address(),
        request_id=current_request_id(),
        at=now,
    )
