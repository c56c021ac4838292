"""Hands the hints of due work to the broker. Knows tasks by name only: a web process need not load them."""

from functools import cache
from typing import Final
from uuid import UUID

import structlog
from celery import current_app
from django.conf import settings
from redis import Redis

from apps.common.ids import TenantId

_log = structlog.get_logger(__name__)

_STRIPE_HINT: Final = "ar:hint:work_stripe_events"
# As long as until the next round of the duty, which needs no hint: one that got lost holds up nothing longer.
_HINT_SECONDS: Final = 10
_STORE_TIMEOUT_SECONDS: Final = 2


def send_step(tenant: TenantId, run_id: UUID) -> None:
    """Publishes the hint; raises whatever the broker's client raises when it is away."""
    current_app.send_task("run_step", args=[str(tenant), str(run_id)], ignore_result=True)


def send_mail_hint() -> None:
    """Publishes that mail is due; raises whatever the broker's client raises when it is away."""
    current_app.send_task("send_mails", ignore_result=True)


def send_stripe_hint() -> None:
    """Publishes that messages of Stripe wait, unless that is known; raises whatever the broker's client raises.

    Messages come by the hundred, and one hint stands for all that are due when it is taken up.
    """
    if _open_store().set(_STRIPE_HINT, 1, nx=True, ex=_HINT_SECONDS):
        current_app.send_task("work_stripe_events", ignore_result=True)


def take_stripe_hint() -> None:
    """For the worker, before it looks what is due: whatever comes from now on is worth a hint again."""
    try:
        _open_store().delete(_STRIPE_HINT)
    except Exception:  # noqa: BLE001 - the mark is forgotten by itself, the messages are due in any case
        _log.warning("stripe.hint_kept", exc_info=True)


@cache
def _open_store() -> Redis:
    """A client of the process's own: Django's cache makes one for each call, and waits for ever."""
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=_STORE_TIMEOUT_SECONDS, socket_connect_timeout=_STORE_TIMEOUT_SECONDS
    )
