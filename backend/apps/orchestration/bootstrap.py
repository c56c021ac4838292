"""What a fresh database needs before anybody can come in. Running it again changes nothing."""

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from apps.accounts.selectors import find_user
from apps.orchestration.signup import create_person

ADMIN_TENANT: Final = "Operations"
_MAX_PASSWORD_FILE_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class AdminResult:
    """What was done about the first member of staff."""

    is_created: bool
    is_password_generated: bool


def ensure_admin(*, username: str, email: str, password_file: Path, now: datetime) -> AdminResult:
    """Makes the first superuser with a tenant of their own, unless the name exists.

    The password is the file's content; without a file a random one is made and written there, readable by the owner
    only. An existing person keeps their password, and the file is left alone.
    """
    if find_user(username=username) is not None:
        return AdminResult(is_created=False, is_password_generated=False)
    # The file comes first: a crash after it leaves a password that the next run will use.
    is_generated = not password_file.exists()
    if is_generated:
        _write_password(password_file, secrets.token_urlsafe(18))
    create_person(
        actor=None,
        username=username,
        email=email,
        password=_read_password(password_file),
        tenant_name=ADMIN_TENANT,
        is_staff=True,
        is_superuser=True,
        now=now,
    )
    return AdminResult(is_created=True, is_password_generated=is_generated)


def _read_password(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        return file.read(_MAX_PASSWORD_FILE_BYTES).strip()


def _write_password(path: Path, password: str) -> None:
    """Creates the file with its final mode, so that at no moment anybody else could read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(password + "\n")
