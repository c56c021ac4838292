"""The port through which the hints of due steps reach the broker.

The worker edge plugs its sender in at start. A lost hint costs seconds, never work: the sweeper reads the same rows.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction

from apps.common.ids import TenantId

Sender = Callable[[TenantId, UUID], None]

_log = structlog.get_logger(__name__)
_senders: Final[list[Sender]] = []


def plug_sender(sender: Sender) -> None:
    """Replaces the sender. Called once by the worker edge; tests plug their own."""
    _senders[:] = [sender]


def send_hints(hints: Sequence[tuple[TenantId, UUID]]) -> int:
    """Tells the broker which steps are due, and returns how many it took.

    Ends with the first that it did not take: a person or the sweeper waits for an absent broker once, not once a step.
    """
    for sent, (tenant, run_id) in enumerate(hints):
        try:
            for sender in _senders:
                sender(tenant, run_id)
        except Exception:  # noqa: BLE001 - whatever the broker's client raises, the rows stay due
            _log.warning("dispatch.hints_lost", lost=len(hints) - sent, exc_info=True)
            return sent
    return len(hints)


def send_hints_on_commit(*, tenant: TenantId, run_ids: Sequence[UUID]) -> None:
    """The same, once the present transaction's rows can be seen by a worker."""
    transaction.on_commit(partial(send_hints, [(tenant, run_id) for run_id in run_ids]))
