"""Words and limits of the worklog, and the values that cross its border."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypedDict
from uuid import UUID

from django.db import models

TITLE_MAX: Final = 200
BODY_MAX: Final = 20_000
ROLE_MAX: Final = 120
IMPACT_MAX: Final = 1_000
METRIC_MAX: Final = 80
UNIT_MAX: Final = 40
NAME_MAX: Final = 80
# Folding can lengthen a name (one ligature may become eighteen letters).
NAME_KEY_MAX: Final = 200
TAGS_MAX: Final = 20
LINE_MAX: Final = 1_000
SEARCH_MAX: Final = 200
SEARCH_WORDS_MAX: Final = 8

HOURS_DIGITS: Final = 6
HOURS_PLACES: Final = 2
HOURS_MAX: Final = Decimal(1_000)
FIGURE_DIGITS: Final = 20
FIGURE_PLACES: Final = 6

# Wide enough for any career, narrow enough to catch a year typed wrong.
FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)

# A report is made of no more entries than this, so reading more of them for one would be wasted.
FROZEN_MAX: Final = 500


class Visibility(models.TextChoices):
    PRIVATE = "private", "Only me"
    TEAM = "team", "Everyone in my tenant"


class EntryStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    FINAL = "final", "Final"


class NameKind(models.TextChoices):
    """What the names that entries share stand for."""

    EMPLOYER = "employer", "Employer"
    PROJECT = "project", "Project"
    TAG = "tag", "Tag"


class Ordering(models.TextChoices):
    """The orders that the timeline can be read in."""

    NEWEST_DAY = "-occurred_on", "Latest day first"
    OLDEST_DAY = "occurred_on", "Earliest day first"
    NEWEST_WRITTEN = "-created_at", "Last written first"

    @property
    def keys(self) -> tuple[str, str]:
        """The fields to order by; ties are broken by age in the same direction."""
        return self.value, "-id" if self.value.startswith("-") else "id"


def squeeze(text: str) -> str:
    """One line of composed characters with single spaces: how names and titles are kept."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def fold_name(name: str) -> str:
    """What two spellings of the same name have in common; the key that names are unique by."""
    return squeeze(unicodedata.normalize("NFKC", name).casefold())


def format_figure(value: Decimal) -> str:
    """A plain decimal without trailing zeros: 40, 6.5, -0.25."""
    return f"{(value + 0).normalize():f}"


def format_hours(value: Decimal) -> str:
    """Hours with two decimals: 2.00."""
    return f"{value:.2f}"


class Snapshot(TypedDict):
    """An entry's content as plain JSON: figures and hours are decimal strings, the day is YYYY-MM-DD."""

    title: str
    occurred_on: str
    body: str
    employer: str
    project: str
    role: str
    tags: list[str]
    impact: str
    impact_metric: str
    impact_before: str | None
    impact_after: str | None
    impact_unit: str
    hours: str | None
    visibility: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft:
    """What a person writes about one thing that they did. `occurred_on` None means today in their time zone."""

    title: str
    occurred_on: date | None = None
    body: str = ""
    employer: str = ""
    project: str = ""
    role: str = ""
    tags: tuple[str, ...] = ()
    impact: str = ""
    impact_metric: str = ""
    impact_before: Decimal | None = None
    impact_after: Decimal | None = None
    impact_unit: str = ""
    hours: Decimal | None = None
    visibility: Visibility = Visibility.PRIVATE
    status: EntryStatus = EntryStatus.FINAL

    def to_snapshot(self, *, occurred_on: date) -> Snapshot:
        """The content as it is kept for the history."""
        return {
            "title": self.title,
            "occurred_on": occurred_on.isoformat(),
            "body": self.body,
            "employer": self.employer,
            "project": self.project,
            "role": self.role,
            "tags": list(self.tags),
            "impact": self.impact,
            "impact_metric": self.impact_metric,
            "impact_before": None if self.impact_before is None else format_figure(self.impact_before),
            "impact_after": None if self.impact_after is None else format_figure(self.impact_after),
            "impact_unit": self.impact_unit,
            "hours": None if self.hours is None else format_hours(self.hours),
            "visibility": str(self.visibility),
            "status": str(self.status),
        }


class EntryChanges(TypedDict, total=False):
    """The fields of an `EntryDraft` that an edit names; the others stay as they are."""

    title: str
    occurred_on: date
    body: str
    employer: str
    project: str
    role: str
    tags: tuple[str, ...]
    impact: str
    impact_metric: str
    impact_before: Decimal | None
    impact_after: Decimal | None
    impact_unit: str
    hours: Decimal | None
    visibility: Visibility
    status: EntryStatus


# The fields that an entry and its draft hold alike; the others are names, which entries share.
PLAIN_FIELDS: Final = (
    "title",
    "occurred_on",
    "body",
    "role",
    "impact",
    "impact_metric",
    "impact_before",
    "impact_after",
    "impact_unit",
    "hours",
    "visibility",
    "status",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenEntry:
    """One version of an entry as a report rests on it: it stays as it was, whatever happens to the entry.

    `impact` holds the sentence together with its figures.
    """

    id: UUID
    version: int
    occurred_on: date
    title: str
    body: str = ""
    employer: str = ""
    project: str = ""
    role: str = ""
    tags: tuple[str, ...] = ()
    impact: str = ""
    hours: Decimal | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it back to an equal value."""
        return {
            "id": str(self.id),
            "version": self.version,
            "occurred_on": self.occurred_on.isoformat(),
            "title": self.title,
            "body": self.body,
            "employer": self.employer,
            "project": self.project,
            "role": self.role,
            "tags": list(self.tags),
            "impact": self.impact,
            "hours": None if self.hours is None else format_hours(self.hours),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "FrozenEntry":
        """Reads what `to_json` gave."""
        hours = data["hours"]
        return cls(
            id=UUID(data["id"]),
            version=data["version"],
            occurred_on=date.fromisoformat(data["occurred_on"]),
            title=data["title"],
            body=data["body"],
            employer=data["employer"],
            project=data["project"],
            role=data["role"],
            tags=tuple(data["tags"]),
            impact=data["impact"],
            hours=None if hours is None else Decimal(hours),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickLine:
    """What one line of free text says, before anything is saved."""

    title: str
    occurred_on: date
    employer: str = ""
    project: str = ""
    tags: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    hours: Decimal | None = None
    impact: str = ""


@dataclass(frozen=True, slots=True)
class EntryDefaults:
    """What a new entry most likely shares with the ones before."""

    employer: str = ""
    project: str = ""
    tags: tuple[str, ...] = field(default=())
