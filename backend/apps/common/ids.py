"""External identifiers."""

import uuid

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> uuid.UUID:
    """A time-ordered identifier (RFC 9562, version 7): new rows land at the right edge of every index."""
    return _uuid7()
