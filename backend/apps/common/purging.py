"""What must be purged regularly but lies where the workers do not reach: the edges beside them plug it in at start."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

Purge = Callable[[datetime], int]

_purges: Final[dict[str, Purge]] = {}


def plug_purge(*, name: str, purge: Purge) -> None:
    """Makes the purge part of the daily round. It gets the time and says how many rows it deleted."""
    _purges[name] = purge


def purge_plugged(*, now: datetime) -> dict[str, int]:
    """Runs all of them; how many rows each deleted. They go over all tenants."""
    return {name: purge(now) for name, purge in sorted(_purges.items())}
