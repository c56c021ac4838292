"""Words of this app that others may use."""

from dataclasses import dataclass
from enum import Enum

from apps.common.errors import NotFound


class Purpose(Enum):
    """What a file is for; the folder below the tenant's own that it lies in."""

    EXPORT = "exports"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it was stored: length in bytes, SHA-256 in hexadecimal."""

    size_bytes: int
    sha256: str


class FileNotStored(NotFound):
    """There is no such file, or it is another tenant's: the two are never told apart."""

    message = "There is no such file."
