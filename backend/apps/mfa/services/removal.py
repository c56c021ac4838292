"""What every removal of a factor has in common."""

from datetime import datetime
from uuid import UUID

from apps.accounts.types import UserView
from apps.mfa.models import Challenge, RecoveryCode
from apps.mfa.refusals import LastFactorOfStaff
from apps.mfa.selectors import has_second_factor
from apps.mfa.services import notices


def finish_removal(*, user: UserView, action: str, what: str, now: datetime) -> None:
    """After a factor was deleted: keeps staff from the last one, and writes down what happened.

    Call with the person locked, in the transaction of the deletion, which LastFactorOfStaff undoes.
    """
    is_on = has_second_factor(user_id=user.id)
    if user.is_staff and not is_on:
        raise LastFactorOfStaff
    if not is_on:
        forget_leftovers(user_id=user.id)
    notices.audit(actor=user.id, user_id=user.id, action=action, now=now, after={"is_on": is_on})
    notices.tell(user=user, kind=notices.REMOVED, context={"what": what, "is_reset": False}, now=now)


def forget_leftovers(*, user_id: UUID) -> None:
    """Deletes what stands in for factors or asks for them: nothing of it means anything without one."""
    RecoveryCode.objects.filter(user_id=user_id).delete()
    Challenge.objects.filter(user_id=user_id).delete()
