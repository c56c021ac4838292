"""A ZIP that is written piece by piece: whatever its size, only the row at hand is in memory."""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Final
from uuid import UUID

from apps.common.csv_cells import Cell, stream_csv

MANIFEST: Final = "manifest.json"
_PERMISSIONS: Final = 0o600 << 16


class Member:
    """One file of the ZIP under way, with the digest of what was written so far."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self._stream.write(data)
        self._digest.update(data)
        self.size += len(data)

    def sha256(self) -> str:
        return self._digest.hexdigest()


class Archive:
    """A ZIP under way. `close` adds the manifest with the SHA-256 of every other member."""

    def __init__(self, file: IO[bytes], *, written_at: datetime) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)
        self._written_at = written_at
        self._members: list[dict[str, Any]] = []

    @contextmanager
    def open(self, name: str) -> Iterator[Member]:
        """A member to be written; one at a time."""
        info = zipfile.ZipInfo(name, date_time=self._written_at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = _PERMISSIONS
        with self._zip.open(info, "w", force_zip64=True) as stream:
            member = Member(stream)
            yield member
        self._members.append({"name": name, "size_bytes": member.size, "sha256": member.sha256()})

    def add(self, name: str, data: bytes) -> None:
        """A member that is at hand as a whole."""
        with self.open(name) as member:
            member.write(data)

    def add_json(self, name: str, head: Mapping[str, Any], **arrays: Iterable[Mapping[str, Any]]) -> None:
        """An object with the values of `head` and then each array, whose rows are read and written one by one."""
        with self.open(name) as member:
            member.write(b"{")
            comma = b""
            for key, value in head.items():
                member.write(comma + b"\n" + _dump(key) + b": " + _dump(value))
                comma = b","
            for key, rows in arrays.items():
                member.write(comma + b"\n" + _dump(key) + b": [")
                _write_rows(member, rows)
                member.write(b"]")
                comma = b","
            member.write(b"\n}\n")

    def add_csv(self, name: str, *, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
        """A table for spreadsheets, whose rows are read and written one by one."""
        with self.open(name) as member:
            for line in stream_csv(header=header, rows=rows):
                member.write(line.encode())

    def close(self) -> None:
        """Ends the ZIP; nothing can be added any more."""
        content = {
            "format": "afterresume.export/1",
            "written_at": self._written_at,
            "digest": "SHA-256",
            "files": list(self._members),
        }
        self.add(MANIFEST, _dump(content, indent=2) + b"\n")
        self._zip.close()


def _write_rows(member: Member, rows: Iterable[Mapping[str, Any]]) -> None:
    comma = b""
    for row in rows:
        member.write(comma + b"\n" + _dump(row))
        comma = b","


def _dump(value: object, *, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=_encode, indent=indent).encode()


def _encode(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in an export.")
