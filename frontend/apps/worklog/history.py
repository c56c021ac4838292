"""What differs between two texts of an entry: for its history, and when two people edited it at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from apps.backend.worklogs import Entry, EntryDraft, EntryVersion
from apps.worklog.fields import STATUSES, VISIBILITIES, shown_decimal, values_of

LABELS: Final = {
    "title": "Title",
    "occurred_on": "Day",
    "employer": "Employer",
    "project": "Project",
    "role": "Role",
    "tags": "Tags",
    "body": "Notes",
    "impact": "Impact",
    "impact_metric": "Measure",
    "impact_before": "Before",
    "impact_after": "After",
    "impact_unit": "Unit",
    "hours": "Hours",
    "visibility": "Who sees it",
    "status": "Status",
}
_FIGURES: Final = frozenset({"impact_before", "impact_after", "hours"})
_WORDS: Final = {"visibility": dict(VISIBILITIES), "status": dict(STATUSES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that reads differently; an empty text means that it was empty."""

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One save of an entry. The first version of those shown has no differences: it is where they begin."""

    version: int
    edited_at: datetime
    editor: str
    differences: tuple[Difference, ...]


def list_edits(versions: Sequence[EntryVersion]) -> list[Edit]:
    """The saves, newest first, each with what it changed."""
    ordered = sorted(versions, key=lambda version: version.version)
    edits = [
        Edit(
            version=version.version,
            edited_at=version.edited_at,
            editor=version.editor.username if version.editor else "",
            differences=() if before is None else differences_of(before.snapshot, version.snapshot),
        )
        for before, version in zip([None, *ordered], ordered, strict=False)
    ]
    return edits[::-1]


def differences_between(entry: Entry, draft: EntryDraft) -> tuple[Difference, ...]:
    """What the saved entry says (`before`) and what the person has typed (`after`)."""
    return differences_of(values_of(entry), {name: getattr(draft, name) for name in LABELS})


def differences_of(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Difference, ...]:
    pairs = ((name, _text(name, before.get(name)), _text(name, after.get(name))) for name in LABELS)
    return tuple(
        Difference(name=name, label=LABELS[name], before=old, after=new) for name, old, new in pairs if old != new
    )


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, date):
        return value.isoformat()
    if name in _FIGURES and str(value):
        return _figure(str(value))
    return _WORDS.get(name, {}).get(str(value), str(value))


def _figure(text: str) -> str:
    """Figures are compared by value: 2 and 2.00 are the same."""
    try:
        return shown_decimal(Decimal(text))
    except InvalidOperation:
        return text
