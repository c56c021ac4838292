"""Devices: what a person signs in from, told from how their browser calls itself."""

from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from ua_parser import parse

from apps.accounts.models import SeenDevice, User
from apps.accounts.services.notices import NEW_SIGN_IN, tell
from apps.observability.context import current_address, current_user_agent

_log = structlog.get_logger(__name__)

UNKNOWN: Final = "Unknown device"
_MAX_LENGTH: Final = 120


@lru_cache(maxsize=1024)
def name_device(user_agent: str) -> str:
    """`Firefox on Linux`. The text comes from the client, so it is a help for the memory and proves nothing."""
    found = parse(user_agent)
    program = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    return " on ".join(filter(None, (program, system)))[:_MAX_LENGTH] or UNKNOWN


@transaction.atomic(savepoint=False)
def note_sign_in(*, user_id: UUID, now: datetime) -> None:
    """Notes what the person signs in from, and tells them by mail when it is a device that they have not used before.

    The first device of all is the one that the account was opened with.
    """
    device = name_device(current_user_agent())
    _log.info("signed_in", user_id=str(user_id), device=device, address=current_address())
    seen = SeenDevice.objects.filter(user_id=user_id)
    if seen.filter(device=device).update(last_seen_at=now):
        return
    is_first = not seen.exists()
    times = {"first_seen_at": now, "last_seen_at": now}
    _, is_new = SeenDevice.objects.get_or_create(user_id=user_id, device=device, defaults=times)
    if is_new and not is_first:
        context = {"device": device, "address": current_address() or "unknown"}
        tell(user=User.objects.get(id=user_id), kind=NEW_SIGN_IN, context=context, now=now)
