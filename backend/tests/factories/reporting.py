"""Reports for tests: their entries are frozen values, so that no worklog is needed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from apps.common.ids import uuid7
from apps.reporting.selectors import get_report
from apps.reporting.services import create_report, finish_report
from apps.reporting.types import Bullet, ReportView, Section
from apps.tenants.types import Actor
from apps.worklog.types import FrozenEntry

NOW: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FIRST_DAY: Final = date(2026, 10, 1)
LAST_DAY: Final = date(2026, 12, 31)


def freeze(title: str = "Cut the invoice run", **fields: Any) -> FrozenEntry:
    """An entry as a report keeps it."""
    known: dict[str, Any] = {"id": uuid7(), "version": 1, "occurred_on": FIRST_DAY, "title": title}
    return FrozenEntry(**(known | fields))


def freeze_many(count: int) -> list[FrozenEntry]:
    """Entries on consecutive days, with figures, projects and hours."""
    return [
        freeze(
            f"Moved service {number} to the new platform",
            occurred_on=FIRST_DAY + timedelta(days=number % 90),
            body="It took two weeks. Deploys now take 4 minutes instead of 30.",
            employer=("Acme", "Globex")[number % 2],
            project=("Platform", "Billing", "")[number % 3],
            impact=f"Saves {number} hours a month" if number % 4 else "",
            hours=Decimal(number % 8) or None,
        )
        for number in range(count)
    ]


def make_report(actor: Actor, *entries: FrozenEntry, now: datetime = NOW, **fields: Any) -> ReportView:
    """A report that waits for its job."""
    wish: dict[str, Any] = {
        "kind": "brag_document",
        "title": "Brag document",
        "period_from": FIRST_DAY,
        "period_to": LAST_DAY,
        "entries": entries or [freeze()],
        "writer_provider": "builtin",
        "writer_model": "builtin-writer-1",
        "writer_label": "Built-in writer",
        "prompt_version": "brag_document/1",
        "rate_card": "Starter v1",
        "job_id": uuid7(),
    }
    return create_report(actor=actor, now=now, **(wish | fields))


def section(heading: str, *bullets: tuple[str, Sequence[UUID]]) -> Section:
    """A part of an answer: bullets as text and the ids that they cite."""
    return Section(heading, tuple(Bullet("", text, tuple(entry_ids)) for text, entry_ids in bullets))


def make_ready_report(
    actor: Actor, *entries: FrozenEntry, parts: Sequence[Sequence[Section]] | None = None, **fields: Any
) -> ReportView:
    """A finished report: one bullet an entry unless parts are given."""
    report = make_report(actor, *entries, **fields)
    written = parts or [[section("Highlights", *((entry.title, [entry.id]) for entry in report.entries))]]
    assert finish_report(tenant=actor.tenant, report_id=report.id, parts=written, now=NOW)
    return get_report(actor=actor, report_id=report.id)
