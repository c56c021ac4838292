"""The port through which an app above this one says what it keeps about people, and removes it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from apps.common.tenancy import TenantId

# (tenant, people, whether all of the tenant goes) -> how many rows were removed. Must be safe to run again.
Eraser = Callable[[TenantId, Sequence[UUID], bool], int]


@dataclass(frozen=True, slots=True)
class PluggedEraser:
    """An eraser with the name under which the certificate counts what it removed."""

    counts_as: str
    erase: Eraser


_erasers: Final[dict[str, PluggedEraser]] = {}


def plug_eraser(*, name: str, counts_as: str, erase: Eraser) -> None:
    """Called once by each app above, when it is ready."""
    _erasers[name] = PluggedEraser(counts_as=counts_as, erase=erase)


def list_erasers() -> list[PluggedEraser]:
    """All plugged erasers by name."""
    return [_erasers[name] for name in sorted(_erasers)]
