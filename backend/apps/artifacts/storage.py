"""The only door to the place where files lie: Django's default storage, a folder or an S3-compatible store."""

from typing import Final

from django.core.files.base import ContentFile
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
