"""Words of this app: a mail's states, and what a round of delivery did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from django.db import models

from apps.common.errors import NotFound
from apps.common.states import StateMachine

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"


class MailState(models.TextChoices):
    PENDING = "pending", "Pending"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    DROPPED = "dropped", "Dropped"


# `sending` has a lease: a mail whose sender died is sent again when it has run out. `dropped` is a mail that nobody
# needs any more. Staff may ask for a failed one again.
MAIL_STATES: Final = StateMachine(
    name="outgoing_mail",
    initial=MailState.PENDING,
    moves={
        MailState.PENDING: frozenset({MailState.SENDING, MailState.DROPPED}),
        MailState.SENDING: frozenset({MailState.SENT, MailState.PENDING, MailState.FAILED, MailState.DROPPED}),
        MailState.FAILED: frozenset({MailState.PENDING}),
    },
)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one round did: how many mails went out, will be tried again, were given up, were no longer wanted."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0
    dropped: int = 0


class UnknownMail(NotFound):
    message = "There is no such mail."
