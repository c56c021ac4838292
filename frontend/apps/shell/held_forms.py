"""A form that waits in the session while its sender proves who they are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from apps.shell.requests import is_own_path

FIELD: Final = "form"
_SESSION_KEY: Final = "held_form"
_KEPT_FOR: Final = timedelta(minutes=15)
_MAX_LETTERS: Final = 200_000
_LEFT_OUT: Final = ("csrfmiddlewaretoken", "password")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldForm:
    """Where the form was sent, and what was in it but for passwords and files."""

    path: str
    fields: tuple[tuple[str, str], ...]


def hold_form(request: HttpRequest, *, now: datetime) -> str:
    """Keep what was posted; returns the name to take it by, "" when there is nothing that can be kept."""
    request.session.pop(_SESSION_KEY, None)
    path = request.get_full_path()
    if request.method != "POST" or not is_own_path(path):
        return ""
    fields = [
        (name, str(value))
        for name, values in request.POST.lists()
        if not any(word in name for word in _LEFT_OUT)
        for value in values
    ]
    if sum(len(name) + len(value) for name, value in fields) > _MAX_LETTERS:
        return ""
    name = str(uuid4())
    request.session[_SESSION_KEY] = {"name": name, "path": path, "fields": fields, "held_at": now.isoformat()}
    return name


def take_held_form(request: HttpRequest, *, name: str, now: datetime) -> HeldForm | None:
    """The form kept under `name`, once. Any other that waits is forgotten: its sender has gone another way."""
    held = request.session.pop(_SESSION_KEY, None)
    if not name or held is None or held["name"] != name:
        return None
    held_at = parse_datetime(held["held_at"])
    if held_at is None or now - held_at > _KEPT_FOR:
        return None
    return HeldForm(path=held["path"], fields=tuple((field, value) for field, value in held["fields"]))
