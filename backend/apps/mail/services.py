"""Queuing mails, and forgetting them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from apps.mail.dispatch import send_hint_on_commit
from apps.mail.models import OutgoingMail
from apps.mail.registry import get_kind
from apps.mail.types import JSON, MailState, UnknownMail
from apps.observability.services import record_audit

KEEP_FOR: Final = timedelta(days=30)


def queue_mail(
    *, kind: str, user_id: UUID | None, to: str, context: Mapping[str, JSON], now: datetime, key: str = ""
) -> None:
    """Keeps a mail to be sent once the caller's transaction commits. The same key again queues nothing.

    No secret belongs into `context`: `enrich` of the kind adds links when the mail is sent. Raises UnknownKind.
    """
    get_kind(kind)
    row = OutgoingMail(
        kind=kind, user_id=user_id, to=to, context=dict(context), key=key or None, due_at=now, created_at=now
    )
    OutgoingMail.objects.bulk_create([row], ignore_conflicts=bool(key))
    send_hint_on_commit()


@transaction.atomic
def forget_user(*, user_id: UUID, now: datetime) -> int:
    """Empties address and context of every mail to this person, and drops what has not been sent. Returns how many.

    A mail that is under way at this moment may still arrive.
    """
    mails = OutgoingMail.objects.filter(user_id=user_id)
    mails.filter(state=MailState.PENDING).update(state=MailState.DROPPED, ended_at=now)
    return mails.exclude(to="", context={}).update(to="", context={})


def erase_old(*, now: datetime) -> int:
    """Empties address and context of every mail that ended long ago. Returns how many."""
    return OutgoingMail.objects.filter(ended_at__lt=now - KEEP_FOR).exclude(to="").update(to="", context={})


@transaction.atomic
def retry_mail(*, actor: UUID, mail_id: UUID, now: datetime) -> bool:
    """Queues a failed mail anew, with all its attempts. False when it has not failed or its address is forgotten."""
    mails = OutgoingMail.objects.filter(id=mail_id)
    if not mails.exists():
        raise UnknownMail
    changed = (
        mails.filter(state=MailState.FAILED)
        .exclude(to="")
        .update(state=MailState.PENDING, attempts=0, due_at=now, ended_at=None)
    )
    if changed:
        record_audit(tenant=None, actor=actor, action="mail.retried", target_kind="mail", target_id=mail_id, now=now)
        send_hint_on_commit()
    return bool(changed)
