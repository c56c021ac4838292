"""The port through which a step's hint reaches the broker.

The worker edge plugs its sender in at start. A lost hint costs seconds, never work: the sweeper reads the same rows.
"""

from collections.abc import Callable
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


def send_hint(*, tenant: TenantId, run_id: UUID) -> bool:
    """Tells the broker that a step is due. False when it could not be told."""
    try:
        for sender in _senders:
            sender(tenant, run_id)
    except Exception:  # noqa: BLE001 - whatever the broker's client raises, the row stays due
        _log.warning("dispatch.hint_lost", run_id=str(run_id), exc_info=True)
        return False
    return True


def send_hint_on_commit(*, tenant: TenantId, run_id: UUID) -> None:
    """The same, once the present transaction's rows can be seen by a worker."""
    transaction.on_commit(partial(send_hint, tenant=tenant, run_id=run_id))
