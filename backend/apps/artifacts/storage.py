"""The only door to the place where files lie: Django's default storage, a folder or an S3-compatible store."""

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Final

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

_PROBE: Final = b"ready"


def check_storage() -> None:
    """Writes, reads and removes a tiny file; raises whatever the storage raises, or OSError on other content."""
    name = default_storage.save("probes/readiness", ContentFile(_PROBE))
    try:
        with default_storage.open(name) as file:
            if file.read() != _PROBE:
                raise OSError("The storage gave back something else than was written.")
    finally:
        default_storage.delete(name)


def put_object(*, key: str, file: IO[bytes]) -> None:
    """Writes a new object. Raises OSError when the key is taken: no object is ever written over."""
    name = default_storage.save(key, File(file))
    if name != key:
        # The storage evaded to another name, which no row would know.
        default_storage.delete(name)
        raise OSError("There is already an object under this key.")


def open_object(*, key: str) -> IO[bytes]:
    """The object's content as a stream. Raises FileNotFoundError."""
    file: IO[bytes] = default_storage.open(key, "rb")
    return file


def delete_object(*, key: str) -> None:
    """Removes an object; one that is gone already is no error."""
    default_storage.delete(key)


def list_folders(*, folder: str = "") -> list[str]:
    """The names of the folders in a folder; none when there is no such folder."""
    try:
        return sorted(default_storage.listdir(folder)[0])
    except FileNotFoundError:
        return []


def list_objects(*, folder: str) -> Iterator[tuple[str, datetime]]:
    """(key, when it was written) of each object that lies directly in a folder."""
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return
    for name in sorted(names):
        key = f"{folder}/{name}"
        try:
            yield key, default_storage.get_modified_time(key)
        except FileNotFoundError:
            continue
