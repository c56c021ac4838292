"""Who changed what: for owners their tenant's, for staff everybody's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from apps.backend.pages import Page, read_page
from apps.backend.people import Person, TenantName
from apps.backend.transport import Call, Caller, Download, QueryValue

_ORIGINS: Final = {
    "api": "interface or API",
    "admin": "Django admin",
    "task": "background work",
    "command": "command line",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One value before and after, as text; None where there was or is none."""

    name: str
    before: str | None
    after: str | None

    @property
    def label(self) -> str:
        return self.name.removesuffix("_micros").replace("_", " ")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """`on_behalf_of` is the person whose data staff looked at."""

    id: UUID
    at: datetime
    action: str
    actor: Person | None
    on_behalf_of: Person | None
    origin: str
    target_kind: str
    target_id: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str
    address: str | None
    request_id: str
    tenant: TenantName | None

    @property
    def label(self) -> str:
        """`support_grant.opened` as words: the subject, then what happened to it."""
        subject, _, happened = self.action.replace("_", " ").partition(".")
        return f"{_subject(subject)}: {happened}".removesuffix(": ").capitalize()

    @property
    def target_label(self) -> str:
        return _subject(self.target_kind.replace("_", " "))

    @property
    def origin_label(self) -> str:
        return _ORIGINS.get(self.origin, self.origin)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What differs between before and after, by name."""
        before, after = self.before or {}, self.after or {}
        names = [*before, *(name for name in after if name not in before)]
        changes = [Change(name=name, before=_text(before, name), after=_text(after, name)) for name in names]
        return tuple(change for change in changes if change.before != change.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilters:
    """`actor` is a name or an id; both days are inclusive; `tenant` is for staff."""

    action: str = ""
    actor: str = ""
    target_kind: str = ""
    target_id: str = ""
    origin: str = ""
    q: str = ""
    tenant: str = ""
    from_day: date | None = None
    to_day: date | None = None

    @property
    def query(self) -> dict[str, QueryValue]:
        names = ("action", "actor", "target_kind", "target_id", "origin", "q", "tenant")
        days = {"from": self.from_day, "to": self.to_day}
        return {
            **{name: getattr(self, name) for name in names},
            **{name: day.isoformat() if day else None for name, day in days.items()},
        }


@dataclass(frozen=True, slots=True)
class AuditApi:
    caller: Caller

    def of_tenant(self, *, filters: AuditFilters, cursor: str | None = None) -> Page[AuditEvent]:
        """Owners only, newest first; raises Forbidden."""
        return self._list("/api/tenant/audit/", filters=filters, cursor=cursor)

    def of_all(self, *, filters: AuditFilters, cursor: str | None = None) -> Page[AuditEvent]:
        """Staff only, newest first."""
        return self._list("/api/admin/audit/", filters=filters, cursor=cursor)

    def export(self, *, filters: AuditFilters) -> Download:
        """The tenant's audit as CSV, whole."""
        return self.caller.download(Call(method="GET", path="/api/tenant/audit/export.csv", query=filters.query))

    def _list(self, path: str, *, filters: AuditFilters, cursor: str | None) -> Page[AuditEvent]:
        call = Call(method="GET", path=path, query={**filters.query, "cursor": cursor})
        return read_page(AuditEvent, self.caller.send(call))


def _subject(name: str) -> str:
    """Without "invite" people would take it for what they sign in with."""
    return "invite passkey" if name == "passkey" else name


def _text(values: Mapping[str, Any], name: str) -> str | None:
    if name not in values or values[name] is None:
        return None
    value = values[name]
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
