"""The status bar's last known values, so that each page begins with them and a missing backend does not blank them.

In the cache and not in the session: a session is a database row, and a write for each poll of each person would be the
busiest thing that this service does.
"""

from typing import Final

from django.core.cache import cache

from apps.backend.status import StatusBar

_KEPT_FOR: Final = 24 * 3600  # seconds


def remember_status(*, user_id: str, status: StatusBar) -> None:
    cache.set(_key(user_id), status, _KEPT_FOR)


def find_last_status(*, user_id: str) -> StatusBar | None:
    found = cache.get(_key(user_id))
    return found if isinstance(found, StatusBar) else None


def _key(user_id: str) -> str:
    return f"status-bar:2:{user_id}"
