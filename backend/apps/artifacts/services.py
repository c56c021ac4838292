"""Storing files. A file lies under its tenant's own folder, under a name that nobody can guess.

A key is made of chance alone, never of the content: two tenants with the same file get two objects, and neither can
learn that the other has it. Whoever stores a file writes down the key first and commits, so that no crash leaves an
object that no row knows.
"""

import hashlib
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from apps.artifacts import storage
from apps.artifacts.types import FileNotStored, Purpose, StoredFile
from apps.common.db import forbid_transaction
from apps.common.tenancy import TenantId

_CHUNK: Final = 1024 * 1024
# 256 bits.
_RANDOM_BYTES: Final = 32


def make_key(*, tenant: TenantId, purpose: Purpose, extension: str) -> str:
    """A fresh storage key in the tenant's folder, of 256 random bits."""
    return f"{_folder(tenant, purpose)}/{secrets.token_urlsafe(_RANDOM_BYTES)}.{extension}"


def store_file(*, tenant: TenantId, key: str, path: Path) -> StoredFile:
    """Puts a file of this machine under the key. Raises FileNotStored for a key of another tenant, OSError."""
    forbid_transaction()
    _check_key(tenant, key)
    with path.open("rb") as file:
        digest, size = hashlib.sha256(), 0
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
        file.seek(0)
        storage.put_object(key=key, file=file)
    return StoredFile(size_bytes=size, sha256=digest.hexdigest())


def open_file(*, tenant: TenantId, key: str) -> IO[bytes]:
    """The file's content as a stream. Raises FileNotStored."""
    forbid_transaction()
    _check_key(tenant, key)
    try:
        return storage.open_object(key=key)
    except FileNotFoundError as error:
        raise FileNotStored from error


def remove_file(*, tenant: TenantId, key: str) -> None:
    """Removes the file, if it is still there. Raises FileNotStored for a key of another tenant."""
    forbid_transaction()
    _check_key(tenant, key)
    storage.delete_object(key=key)


def list_files(*, tenant: TenantId, purpose: Purpose) -> Iterator[tuple[str, datetime]]:
    """(key, when it was stored) of each file that lies in the tenant's folder, whatever any row says."""
    forbid_transaction()
    yield from storage.list_objects(folder=_folder(tenant, purpose))


def list_tenants_with_files() -> list[TenantId]:
    """Every tenant that has a folder. Crosses tenants: for the sweeper alone."""
    forbid_transaction()
    return [TenantId(UUID(name)) for name in storage.list_folders() if _is_uuid(name)]


def _folder(tenant: TenantId, purpose: Purpose) -> str:
    return f"{tenant}/{purpose.value}"


def _check_key(tenant: TenantId, key: str) -> None:
    is_own = any(key.startswith(f"{_folder(tenant, purpose)}/") for purpose in Purpose)
    if not is_own or ".." in key:
        raise FileNotStored


def _is_uuid(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
