"""The port through which the worker is told that Stripe's messages wait.

The worker edge plugs its sender in at start. A lost hint costs seconds, never a message: the duty reads the same rows.
"""

from collections.abc import Callable
from typing import Final

import structlog
from django.db import transaction

Sender = Callable[[], None]

_log = structlog.get_logger(__name__)
_senders: Final[list[Sender]] = []


def plug_sender(sender: Sender) -> None:
    """Replaces the sender. Called once by the worker edge; tests plug their own."""
    _senders[:] = [sender]


def send_hint() -> None:
    """Tells the broker that there are messages to work on."""
    try:
        for sender in _senders:
            sender()
    except Exception:  # noqa: BLE001 - whatever the broker's client raises, the rows stay due
        _log.warning("stripe.hint_lost", exc_info=True)


def send_hint_on_commit() -> None:
    """The same, once the present transaction's rows can be seen by a worker."""
    transaction.on_commit(send_hint)
