"""Sending what is due.

A mail is claimed (row lock, SKIP LOCKED, a lease) in a short transaction, sent outside any, and its outcome recorded in
another. Two who deliver at once never take the same mail. A sender that dies between the other side's yes and our
record leaves a lease behind: the mail goes out once more when it has run out, with the same Message-ID.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction

from apps.common.clock import Clock
from apps.common.failpoints import failpoint
from apps.mail.models import OutgoingMail
from apps.mail.registry import Obsolete, get_kind
from apps.mail.rendering import RenderedMail, render_mail
from apps.mail.transport import NotSent, Refused, Transport, Unreachable
from apps.mail.types import Delivered, MailState

_log = structlog.get_logger(__name__)

MAX_ATTEMPTS: Final = 8
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=6)
# Longer than the slowest conversation with a mail server that still ends well.
LEASE: Final = timedelta(minutes=3)
# A round ends after this long: a slow mail server must not keep the worker from its other tasks.
ROUND: Final = timedelta(seconds=30)
# For the same reason no more rounds than this are under way at once.
MAX_SENDERS: Final = 2


@dataclass(frozen=True, slots=True)
class _Claim:
    """A mail that is ours for the length of the lease; the number of the attempt tells whether it still is."""

    id: UUID
    kind: str
    to: str
    context: Mapping[str, Any]
    attempt: int


def deliver_due(*, clock: Clock) -> Delivered:
    """One round: sends what is due until nothing is, the round is over or the mail server turns out to be away."""
    began = clock()
    outcomes: Counter[MailState] = Counter()
    if _count_senders(now=began) >= MAX_SENDERS:
        return Delivered()
    with Transport() as transport:
        while (now := clock()) < began + ROUND and (claim := _claim_next(now=now)) is not None:
            outcome, is_reachable = _deliver(claim, transport, clock)
            outcomes[outcome] += 1
            if not is_reachable:
                break
    return Delivered(
        sent=outcomes[MailState.SENT],
        deferred=outcomes[MailState.PENDING],
        failed=outcomes[MailState.FAILED],
        dropped=outcomes[MailState.DROPPED],
    )


def pause_after(attempt: int) -> timedelta:
    """How long a mail waits after its n-th failed attempt: a minute, doubled each time, at most six hours."""
    return min(FIRST_PAUSE * (1 << (attempt - 1)), LONGEST_PAUSE)


def _count_senders(*, now: datetime) -> int:
    return OutgoingMail.objects.filter(state=MailState.SENDING, lease_until__gte=now).count()


@transaction.atomic
def _claim_next(*, now: datetime) -> _Claim | None:
    """The mail that has been due longest, or one whose sender has not come back."""
    free = OutgoingMail.objects.select_for_update(skip_locked=True)
    mail = (
        free.filter(state=MailState.PENDING, due_at__lte=now).order_by("due_at", "id").first()
        or free.filter(state=MailState.SENDING, lease_until__lt=now).order_by("lease_until", "id").first()
    )
    if mail is None:
        return None
    mail.state, mail.lease_until, mail.attempts = MailState.SENDING, now + LEASE, mail.attempts + 1
    mail.save(update_fields=["state", "lease_until", "attempts"])
    return _Claim(id=mail.pk, kind=mail.kind, to=mail.to, context=mail.context, attempt=mail.attempts)


def _deliver(claim: _Claim, transport: Transport, clock: Clock) -> tuple[MailState, bool]:
    """What became of the mail, and whether the mail server could be reached."""
    if claim.attempt > MAX_ATTEMPTS:
        return _end(claim, MailState.FAILED, now=clock(), error="Its senders did not come back."), True
    try:
        transport.send(mail_id=claim.id, to=claim.to, mail=_make(claim))
    except Obsolete:
        return _end(claim, MailState.DROPPED, now=clock()), True
    except Refused as error:
        return _end(claim, MailState.FAILED, now=clock(), error=str(error)), True
    except NotSent as error:
        return _defer(claim, now=clock(), error=str(error)), not isinstance(error, Unreachable)
    except Exception as error:  # noqa: BLE001 - a kind that cannot be made must not keep the others back
        # Only the error's name: its text, and the values in its traceback, may tell of the person.
        _log.error("mail.not_made", mail=str(claim.id), kind=claim.kind, error=type(error).__name__)
        return _defer(claim, now=clock(), error=f"Could not be made: {type(error).__name__}"), True
    failpoint("after_mail_accepted")
    return _end(claim, MailState.SENT, now=clock()), True


def _make(claim: _Claim) -> RenderedMail:
    kind = get_kind(claim.kind)
    if not claim.to:
        raise Obsolete
    added = kind.enrich(claim.context) if kind.enrich else {}
    return render_mail(kind, {**claim.context, **added})


def _defer(claim: _Claim, *, now: datetime, error: str) -> MailState:
    if claim.attempt >= MAX_ATTEMPTS:
        return _end(claim, MailState.FAILED, now=now, error=error)
    due_at = now + pause_after(claim.attempt)
    _record(claim, state=MailState.PENDING, lease_until=None, due_at=due_at, last_error=error)
    _log.warning("mail.deferred", mail=str(claim.id), kind=claim.kind, attempt=claim.attempt, error=error)
    return MailState.PENDING


def _end(claim: _Claim, state: MailState, *, now: datetime, error: str = "") -> MailState:
    sent_at = now if state == MailState.SENT else None
    _record(claim, state=state, lease_until=None, ended_at=now, sent_at=sent_at, last_error=error)
    log = _log.error if state == MailState.FAILED else _log.info
    log(f"mail.{state.value}", mail=str(claim.id), kind=claim.kind, attempt=claim.attempt, error=error)
    return state


def _record(claim: _Claim, **changes: Any) -> None:
    """Only while the attempt is the last one: whoever came back too late has nothing to say any more."""
    OutgoingMail.objects.filter(id=claim.id, state=MailState.SENDING, attempts=claim.attempt).update(**changes)
