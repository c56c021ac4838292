"""External identifiers."""

import uuid
from typing import NewType

from uuid_utils.compat import uuid7 as _uuid7

# The customer whose rows are meant. Services take it (or an actor that carries it) as their first keyword.
TenantId = NewType("TenantId", uuid.UUID)


def uuid7() -> uuid.UUID:
    """A time-ordered identifier (RFC 9562, version 7): new rows land at the right edge of every index."""
    return _uuid7()
