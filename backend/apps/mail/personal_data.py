"""Mails to people who are about to be forgotten."""

from apps.mail.models import OutgoingMail
from apps.mail.types import MailState


def is_under_way(*, key: str) -> bool:
    """Whether the mail that was queued with this key may still arrive."""
    return OutgoingMail.objects.filter(key=key, state__in=[MailState.PENDING, MailState.SENDING]).exists()
