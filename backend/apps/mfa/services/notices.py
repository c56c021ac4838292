"""What every change of second factors leaves behind: a row in the audit and a mail to the person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from apps.accounts.types import UserView
from apps.mail.services import queue_mail
from apps.observability.services import record_audit

ADDED: Final = "second_factor_added"
REMOVED: Final = "second_factor_removed"
RECOVERY_CODE_USED: Final = "recovery_code_used"


def audit(
    *,
    actor: UUID | None,
    user_id: UUID,
    action: str,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Keeps who changed or used which factor of whom, without anything secret."""
    record_audit(
        tenant=None,
        actor=actor,
        action=f"second_factor.{action}",
        target_kind="user",
        target_id=user_id,
        now=now,
        before=before,
        after=after,
        reason=reason,
    )


def tell(*, user: UserView, kind: str, context: Mapping[str, Any], now: datetime) -> None:
    """Queues a mail to the person, so that nobody's factors change behind their back."""
    queue_mail(
        kind=kind,
        user_id=user.id,
        to=user.email,
        context={"username": user.username, "at": f"{now:%d %B %Y, %H:%M} UTC".lstrip("0"), **context},
        now=now,
    )
