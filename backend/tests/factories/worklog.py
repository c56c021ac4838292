"""Entries for tests."""

from datetime import UTC, date, datetime
from typing import Any, Final

from apps.tenants.types import Actor
from apps.worklog.models import WorkLog
from apps.worklog.services import create_entry
from apps.worklog.types import EntryDraft

NOW: Final = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TODAY: Final = NOW.date()


def make_entry(actor: Actor, title: str = "Cut the invoice run", *, now: datetime = NOW, **fields: Any) -> WorkLog:
    """An entry of the actor; `fields` are those of an `EntryDraft`."""
    return create_entry(actor=actor, draft=EntryDraft(title=title, **fields), now=now)


def make_entries(actor: Actor, count: int, **fields: Any) -> list[WorkLog]:
    """Entries on consecutive days from 2026-01-01 on."""
    first = date(2026, 1, 1).toordinal()
    return [
        make_entry(actor, f"Entry {number}", occurred_on=date.fromordinal(first + number), **fields)
        for number in range(count)
    ]
