"""Addresses that carry a secret (links from mails), before they reach the log."""

import re
from typing import Any, Final

from structlog.typing import EventDict

_SECRET_PARTS: Final = re.compile(
    r"(/accounts/password/reset/)[^/\s]+/[^/\s]+/?|(/accounts/email/verify/|/erasure-certificates/)[^/\s]+/?"
)


def mask_addresses(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: the secret part of such an address becomes three dots in every text of the line."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _SECRET_PARTS.sub(lambda found: f"{found[1] or found[2]}...", value)
    return event
