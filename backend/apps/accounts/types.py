"""Words of this app that others may use."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import models


class TokenKind(models.TextChoices):
    """A session belongs to a sign-in and may do what the person may; a personal token is for programs."""

    SESSION = "session", "Session"
    PERSONAL = "personal", "Personal token"


READ: Final = "read"
WRITE: Final = "write"
ALL_SCOPES: Final = (READ, WRITE)


@dataclass(frozen=True, slots=True)
class UserView:
    """A person as other apps see one."""

    id: UUID
    username: str
    email: str
    display_name: str
    is_staff: bool


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A fresh token. `key` is the secret itself and exists nowhere else: only its digest is stored."""

    key: str
    expires_at: datetime
    public_id: UUID


@dataclass(frozen=True, slots=True)
class SessionView:
    """A sign-in of the person's that is still good. `device` is what their browser calls itself, in short."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    address: str | None
    device: str
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class PersonalTokenView:
    """A token that the person made for a program. `prefix` is the beginning of its key, to know it by."""

    id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
