"""Worklog entries and the names that they use."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from apps.backend.pages import Page, read, read_page
from apps.backend.transport import Call, Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    id: UUID
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that was done, on a day. `employer` and `project` are names, empty when there is none."""

    id: UUID
    occurred_on: date
    title: str
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
    visibility: str
    status: str
    version: int
    author: Author
    is_deleted: bool
    created_at: datetime
    updated_at: datetime
    can_edit: bool
    can_delete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryVersion:
    """How an entry looked before an edit; `snapshot` has the fields of that time by name."""

    version: int
    edited_at: datetime
    editor: Author | None
    snapshot: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedLine:
    """What the quick-add line says. Nothing is saved by parsing."""

    title: str
    occurred_on: date | None
    employer: str
    project: str
    tags: tuple[str, ...]
    skills: tuple[str, ...]
    hours: Decimal | None
    impact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """The last used names, to begin a new entry with."""

    employer: str
    project: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An employer, a project or a tag."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDraft:
    """What a form sends. Only `title` is required; without a day the backend takes today in the person's zone."""

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
    visibility: str = "private"
    status: str = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilters:
    """`from_day` and `to_day` are inclusive; names match without regard to case; None means no filter."""

    q: str = ""
    from_day: date | None = None
    to_day: date | None = None
    employer: str = ""
    project: str = ""
    tag: str = ""
    lacks_impact: bool | None = None
    status: str = ""
    ordering: str = ""

    @property
    def query(self) -> dict[str, str | int | bool | None]:
        return {
            "q": self.q,
            "from": self.from_day.isoformat() if self.from_day else None,
            "to": self.to_day.isoformat() if self.to_day else None,
            "employer": self.employer,
            "project": self.project,
            "tag": self.tag,
            "lacks_impact": self.lacks_impact,
            "status": self.status,
            "ordering": self.ordering,
        }


@dataclass(frozen=True, slots=True)
class WorklogsApi:
    caller: Caller

    def list(
        self, *, filters: EntryFilters | None = None, cursor: str | None = None, page_size: int = 25
    ) -> Page[Entry]:
        query = {**(filters or EntryFilters()).query, "cursor": cursor, "page_size": page_size}
        return read_page(Entry, self.caller.send(Call(method="GET", path="/api/worklogs/", query=query)))

    def get(self, *, entry_id: UUID) -> Entry:
        return read(Entry, self.caller.send(Call(method="GET", path=f"/api/worklogs/{entry_id}/")))

    def create(self, *, draft: EntryDraft, idempotency_key: str) -> Entry:
        call = Call(method="POST", path="/api/worklogs/", payload=_payload(draft), idempotency_key=idempotency_key)
        return read(Entry, self.caller.send(call))

    def update(self, *, entry_id: UUID, draft: EntryDraft, version: int, idempotency_key: str) -> Entry:
        """Raises Conflict with code `version_conflict` when the entry has changed since `version`."""
        call = Call(
            method="PATCH",
            path=f"/api/worklogs/{entry_id}/",
            payload={**_payload(draft), "version": version},
            idempotency_key=idempotency_key,
        )
        return read(Entry, self.caller.send(call))

    def delete(self, *, entry_id: UUID) -> None:
        """Soft: `restore` brings it back."""
        self.caller.send(Call(method="DELETE", path=f"/api/worklogs/{entry_id}/"))

    def restore(self, *, entry_id: UUID) -> Entry:
        return read(Entry, self.caller.send(Call(method="POST", path=f"/api/worklogs/{entry_id}/restore/")))

    def versions(self, *, entry_id: UUID, cursor: str | None = None) -> Page[EntryVersion]:
        call = Call(method="GET", path=f"/api/worklogs/{entry_id}/versions/", query={"cursor": cursor})
        return read_page(EntryVersion, self.caller.send(call))

    def parse(self, *, line: str) -> ParsedLine:
        call = Call(method="POST", path="/api/worklogs/parse/", payload={"line": line})
        return read(ParsedLine, self.caller.send(call))

    def defaults(self) -> Defaults:
        return read(Defaults, self.caller.send(Call(method="GET", path="/api/worklogs/defaults/")))

    def employers(self, *, page_size: int = 100) -> Page[Named]:
        return self._named("/api/employers/", page_size=page_size)

    def projects(self, *, page_size: int = 100) -> Page[Named]:
        return self._named("/api/projects/", page_size=page_size)

    def tags(self, *, page_size: int = 100) -> Page[Named]:
        return self._named("/api/tags/", page_size=page_size)

    def _named(self, path: str, *, page_size: int) -> Page[Named]:
        return read_page(Named, self.caller.send(Call(method="GET", path=path, query={"page_size": page_size})))


def _payload(draft: EntryDraft) -> dict[str, Any]:
    """Days and decimals as text. An absent day is left out, so that the backend chooses; empty figures are null."""
    fields = {name: _json_value(value) for name, value in asdict(draft).items()}
    if draft.occurred_on is None:
        del fields["occurred_on"]
    return fields


def _json_value(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
