"""Mails about the safety of an account: to its person, in the transaction of what they tell about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from apps.accounts.models import User
from apps.mail.services import queue_mail
from apps.mail.types import JSON

NEW_SIGN_IN: Final = "new_sign_in"
PASSWORD_CHANGED: Final = "password_changed"  # noqa: S105 - the name of a mail
PASSWORD_RESET: Final = "password_reset"  # noqa: S105 - the name of a mail
VERIFY_EMAIL: Final = "verify_email"
CHANGE_EMAIL: Final = "change_email"
EMAIL_CHANGE_NOTICE: Final = "email_change_notice"
EMAIL_TAKEN: Final = "email_taken"


def tell(*, user: User, kind: str, now: datetime, context: Mapping[str, JSON] | None = None, to: str = "") -> None:
    """Queues a mail to the person: to their address, unless it concerns another one that is or was theirs."""
    queue_mail(
        kind=kind,
        user_id=user.id,
        to=to or user.email,
        context={"username": user.username, "at": f"{now:%-d %B %Y, %H:%M} UTC", **(context or {})},
        now=now,
    )
