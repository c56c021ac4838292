"""The inbox of Stripe's messages: stored once, worked on until they are done, kept for people to look at."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction

from apps.billing import stripe_gateway as gateway
from apps.billing.dispatch import send_hint_on_commit
from apps.billing.models import StripeEvent
from apps.billing.payment_types import PaymentsNotSetUp, StripeEventState, Suspicious, UnknownEvent
from apps.billing.services.audit import record_change
from apps.billing.services.payments.handlers import find_handler
from apps.billing.types import ReserveBusy
from apps.common.clock import Clock
from apps.common.errors import Forbidden
from apps.common.statements import insert_if_absent
from apps.common.states import WrongState
from apps.common.tenancy import SystemScope, system_scope
from apps.tenants.types import Actor

_log = structlog.get_logger(__name__)

# Longer than any message may take to work on: by then whoever took it up is dead.
LEASE: Final = timedelta(minutes=10)
FIRST_PAUSE: Final = timedelta(seconds=10)
MAX_PAUSE: Final = timedelta(hours=1)
# With these pauses it takes about half a day until a person is called.
MAX_ATTEMPTS: Final = 20
KEEP_FOR: Final = timedelta(days=30)
# What nobody has mended by then is kept as a row alone: its content may tell of people.
KEEP_PARKED_FOR: Final = timedelta(days=90)
# How long one round may go on when Stripe is slow: other duties wait for the same workers.
ROUND: Final = timedelta(seconds=30)
_OVER: Final = (StripeEventState.DONE, StripeEventState.IGNORED)
# What passes by itself: nobody need be told before all attempts are used up.
_PASSING: Final = (gateway.Ambiguous, PaymentsNotSetUp, ReserveBusy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A message that a worker has taken up; `attempt` tells its work from that of a worker who came before."""

    id: UUID
    event_id: str
    type: str
    object_id: str
    attempt: int


def receive_event(*, event: gateway.Event, now: datetime) -> bool:
    """Keeps a message that was checked, and tells the worker. False when it was here already.

    A message about real money at an account of play money, or the reverse, is parked with an alarm.
    """
    is_ours = event.livemode == gateway.is_live_account()
    row = StripeEvent(
        event_id=event.id,
        type=event.type,
        livemode=event.livemode,
        object_id=event.object_id,
        payload=dict(event.payload),
        state=StripeEventState.RECEIVED if is_ours else StripeEventState.PARKED,
        last_error="" if is_ours else "The message is of the wrong mode.",
        received_at=now,
        due_at=now if is_ours else None,
    )
    # One statement, which commits by itself where nobody has begun a transaction.
    if not insert_if_absent(row):
        return False
    if is_ours:
        send_hint_on_commit()
    else:
        _log.error("stripe.parked", event_id=event.id, type=event.type, reason="wrong mode")
    return True


@system_scope(SystemScope.SWEEPER)
def work_events(*, clock: Clock, limit: int = 100) -> int:
    """Works on every message that is due; returns how many it took up. Two workers never take up the same.

    Each is claimed by moving when it is due, so a worker that dies leaves it to be taken up again.
    """
    worked, ends_at = 0, clock() + ROUND
    while worked < limit and clock() < ends_at and (claim := _claim_due(now=clock())) is not None:
        worked += 1
        _work(claim, clock=clock)
    return worked


@transaction.atomic
def _claim_due(*, now: datetime) -> _Claim | None:
    due = StripeEvent.objects.select_for_update(skip_locked=True, no_key=True).filter(due_at__lte=now)
    row = due.order_by("due_at", "id").first()
    if row is None:
        return None
    row.attempts += 1
    row.due_at = now + LEASE
    row.save(update_fields=["attempts", "due_at"])
    return _Claim(id=row.id, event_id=row.event_id, type=row.type, object_id=row.object_id, attempt=row.attempts)


def _work(claim: _Claim, *, clock: Clock) -> None:
    handler = find_handler(claim.type)
    if handler is None or not claim.object_id:
        _end(claim, state=StripeEventState.IGNORED, now=clock())
        return
    try:
        handler(claim.object_id, clock)
    except Suspicious as suspicious:
        _park(claim, reason=suspicious.text, now=clock())
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one message, the next is about another customer
        _fail(claim, error, now=clock())
    else:
        _end(claim, state=StripeEventState.DONE, now=clock())


def _end(claim: _Claim, *, state: StripeEventState, now: datetime, error: str = "") -> bool:
    """Only whoever took the message up last may say how it ended."""
    is_over = state in _OVER
    taken = StripeEvent.objects.filter(pk=claim.id, attempts=claim.attempt).exclude(state__in=_OVER)
    return bool(taken.update(state=state, due_at=None, done_at=now if is_over else None, last_error=error[:500]))


def _park(claim: _Claim, *, reason: str, now: datetime) -> None:
    if _end(claim, state=StripeEventState.PARKED, now=now, error=reason):
        _log.error("stripe.parked", event_id=claim.event_id, type=claim.type, reason=reason)


def _fail(claim: _Claim, error: Exception, *, now: datetime) -> None:
    reason = f"{type(error).__name__}: {error}"
    if claim.attempt >= MAX_ATTEMPTS:
        _park(claim, reason=reason, now=now)
        return
    log = _log.warning if isinstance(error, _PASSING) else _log.exception
    log("stripe.event_failed", event_id=claim.event_id, type=claim.type, attempt=claim.attempt)
    pause = min(MAX_PAUSE, FIRST_PAUSE * 2 ** (claim.attempt - 1))
    StripeEvent.objects.filter(pk=claim.id, attempts=claim.attempt).exclude(state__in=_OVER).update(
        state=StripeEventState.FAILED, due_at=now + pause, last_error=reason[:500]
    )


@transaction.atomic
def retry_event(*, actor: Actor, event_row_id: UUID, now: datetime) -> None:
    """Has a message worked on again at once, with all its attempts. Staff only, audited.

    One that is done may be done again: that changes nothing but what was missed. A message of the wrong mode stays
    parked. Raises Forbidden, UnknownEvent, WrongState.
    """
    check_can_retry(actor)
    row = StripeEvent.objects.select_for_update().filter(pk=event_row_id).first()
    if row is None:
        raise UnknownEvent
    if row.livemode != gateway.is_live_account():
        raise WrongState("This message is of the wrong mode, so nothing can be done about it.")
    record_change(
        tenant=None,
        actor=actor.user_id,
        action="stripe_event.retried",
        target_kind="stripe_event",
        target_id=row.id,
        before={"state": row.state, "attempts": row.attempts},
        after={"state": StripeEventState.RECEIVED.value, "attempts": 0},
        now=now,
    )
    row.state, row.attempts, row.due_at, row.done_at = StripeEventState.RECEIVED, 0, now, None
    row.save(update_fields=["state", "attempts", "due_at", "done_at"])
    send_hint_on_commit()


def check_can_retry(actor: Actor) -> None:
    """Raises Forbidden unless the actor belongs to the staff."""
    if not actor.is_staff:
        raise Forbidden("Only staff may have messages worked on again.")


def purge_events(*, now: datetime) -> int:
    """Deletes messages that are long done, and empties those that were long parked; returns how many.

    Should one come again, it still has no second effect.
    """
    deleted, _ = StripeEvent.objects.filter(state__in=_OVER, received_at__lt=now - KEEP_FOR).delete()
    parked = StripeEvent.objects.filter(state=StripeEventState.PARKED, received_at__lt=now - KEEP_PARKED_FOR)
    return deleted + parked.exclude(payload={}).update(payload={})
