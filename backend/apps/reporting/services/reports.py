"""The life of a report."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.common.tenancy import TenantId
from apps.llm.text import clean_line
from apps.observability.services import record_audit, record_event
from apps.reporting.dates import format_period
from apps.reporting.models import Report, ReportEntry
from apps.reporting.selectors import get_report, view_report
from apps.reporting.types import (
    ENTRIES_MAX,
    REPORT_STATES,
    TITLE_MAX,
    Bullet,
    Document,
    ReportBusy,
    ReportInvalid,
    ReportNotFound,
    ReportState,
    ReportSummary,
    ReportView,
    Section,
)
from apps.tenants.selectors import get_member
from apps.tenants.types import Actor
from apps.worklog.types import FrozenEntry


@transaction.atomic
def create_report(
    *,
    actor: Actor,
    kind: str,
    title: str,
    period_from: date,
    period_to: date,
    entries: Sequence[FrozenEntry],
    writer_provider: str,
    writer_model: str,
    writer_label: str,
    prompt_version: str,
    rate_card: str,
    job_id: UUID,
    now: datetime,
) -> ReportView:
    """Writes down a report that a job will make, with its entries frozen. Raises ReportInvalid."""
    if not 0 < len(entries) <= ENTRIES_MAX:
        raise ReportInvalid(fields={"entry_ids": [f"Choose between 1 and {ENTRIES_MAX} entries."]})
    member = get_member(tenant=actor.tenant, user_id=actor.user_id)
    row = Report.objects.create(
        tenant_id=actor.tenant,
        author_id=actor.user_id,
        author_name=clean_line(member.display_name) or member.username,
        kind=kind,
        title=_check_title(title),
        period_from=period_from,
        period_to=period_to,
        writer_provider=writer_provider,
        writer_model=writer_model,
        writer_label=writer_label,
        prompt_version=prompt_version,
        rate_card=rate_card,
        job_id=job_id,
        entry_count=len(entries),
        created_at=now,
    )
    _keep_entries(row, entries)
    return view_report(row)


def _keep_entries(row: Report, entries: Sequence[FrozenEntry]) -> None:
    ReportEntry.objects.bulk_create(
        ReportEntry(
            tenant_id=row.tenant_id,
            report=row,
            worklog_id=entry.id,
            version=entry.version,
            position=position,
            snapshot=entry.to_json(),
        )
        for position, entry in enumerate(entries)
    )


@transaction.atomic
def finish_report(*, tenant: TenantId, report_id: UUID, parts: Sequence[Sequence[Section]], now: datetime) -> bool:
    """Puts the parts together and makes the report ready. False when it no longer waits for them.

    Sections with the same heading become one, in the order in which headings first appear.
    """
    row = Report.objects.filter(tenant_id=tenant, id=report_id).first()
    if row is None:
        raise ReportNotFound
    document = Document(
        title=row.title,
        subtitle=f"{row.author_name} · {format_period(row.period_from, row.period_to)}",
        sections=_merge(parts),
    )
    return _move(
        tenant=tenant,
        report_id=report_id,
        to=ReportState.READY,
        now=now,
        document=document.to_json(),
        bullet_count=document.bullet_count,
        finished_at=now,
    )


def fail_report(*, tenant: TenantId, report_id: UUID, now: datetime) -> bool:
    """Ends a report whose job failed. False when it was not pending."""
    return _move(tenant=tenant, report_id=report_id, to=ReportState.FAILED, now=now, finished_at=now)


def cancel_report(*, tenant: TenantId, report_id: UUID, now: datetime) -> bool:
    """Ends a report whose job was cancelled. False when it was not pending."""
    return _move(tenant=tenant, report_id=report_id, to=ReportState.CANCELLED, now=now, finished_at=now)


@transaction.atomic
def reopen_report(*, tenant: TenantId, report_id: UUID, now: datetime) -> bool:
    """Lets a failed report wait for its job again. False when it had not failed. Raises ReportNotFound when deleted."""
    kept = Report.objects.select_for_update().filter(tenant_id=tenant, id=report_id, deleted_at=None)
    if kept.first() is None:
        raise ReportNotFound
    return _move(tenant=tenant, report_id=report_id, to=ReportState.PENDING, now=now, finished_at=None)


@transaction.atomic
def rename_report(*, actor: Actor, report_id: UUID, title: str, now: datetime) -> ReportView:
    """Gives the actor's report another title, in its exports too. Raises ReportNotFound, ReportInvalid."""
    before = get_report(actor=actor, report_id=report_id)
    Report.objects.filter(tenant_id=actor.tenant, id=report_id).update(title=_check_title(title))
    after = get_report(actor=actor, report_id=report_id)
    _record(
        tenant=actor.tenant,
        report_id=report_id,
        name="report.renamed",
        message="The report has a new title.",
        data={"before": before.title, "after": after.title},
        now=now,
    )
    return after


@transaction.atomic
def delete_report(*, actor: Actor, report_id: UUID, now: datetime) -> None:
    """Takes the actor's report out of sight. Raises ReportNotFound, and ReportBusy while it is being written."""
    report = get_report(actor=actor, report_id=report_id)
    check_can_delete_report(actor, report)
    # Not if a retry has just put it to work again.
    deleted = (
        Report.objects.filter(tenant_id=actor.tenant, id=report_id, deleted_at=None)
        .exclude(state=ReportState.PENDING)
        .update(deleted_at=now)
    )
    if not deleted:
        raise ReportBusy
    _record(tenant=actor.tenant, report_id=report_id, name="report.deleted", message="The report was deleted.", now=now)
    record_audit(
        tenant=actor.tenant,
        actor=actor.user_id,
        action="report.deleted",
        target_kind="report",
        target_id=report_id,
        now=now,
    )


def check_can_delete_report(actor: Actor, report: ReportSummary) -> None:
    """Raises ReportNotFound to everybody but the author, and ReportBusy while the report is being written."""
    if (actor.tenant, actor.user_id) != (report.tenant, report.author_id):
        raise ReportNotFound
    if not report.can_delete:
        raise ReportBusy


def _check_title(title: str) -> str:
    line = clean_line(title)
    if not 0 < len(line) <= TITLE_MAX:
        raise ReportInvalid(fields={"title": [f"A title has between 1 and {TITLE_MAX} characters."]})
    return line


def _merge(parts: Sequence[Sequence[Section]]) -> tuple[Section, ...]:
    gathered: dict[str, tuple[str, list[Bullet]]] = {}
    for part in parts:
        for section in part:
            _, bullets = gathered.setdefault(section.heading.casefold(), (section.heading, []))
            bullets.extend(section.bullets)
    sections, number = [], 0
    for heading, bullets in gathered.values():
        numbered = []
        for bullet in bullets:
            number += 1
            numbered.append(Bullet(id=f"b{number}", text=bullet.text, entry_ids=bullet.entry_ids))
        sections.append(Section(heading=heading, bullets=tuple(numbered)))
    return tuple(sections)


@transaction.atomic
def _move(*, tenant: TenantId, report_id: UUID, to: ReportState, now: datetime, **changes: Any) -> bool:
    """The one place where a report changes its state: compare-and-set on the states that may lead to `to`."""
    sources = REPORT_STATES.sources_of(to)
    moved = Report.objects.filter(tenant_id=tenant, id=report_id, state__in=sources).update(state=to, **changes)
    if not moved:
        return False
    _record(
        tenant=tenant,
        report_id=report_id,
        name=f"report.{to.value}",
        message=f"The report is now: {to.label.lower()}.",
        now=now,
    )
    return True


def _record(
    *,
    tenant: TenantId,
    report_id: UUID,
    name: str,
    message: str,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    record_event(
        tenant=tenant, subject_kind="report", subject_id=report_id, name=name, message=message, data=data, now=now
    )
