"""Reading reports. A report holds private entries, so only its author sees it."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from apps.common.tenancy import TenantId
from apps.llm.types import Writer
from apps.reporting.models import Report, ReportEntry
from apps.reporting.types import Document, ReportKind, ReportNotFound, ReportState, ReportSummary, ReportView
from apps.tenants.types import Actor
from apps.worklog.types import FrozenEntry


def view_summary(row: Report) -> ReportSummary:
    """A row of `list_reports` as the rest of the house sees it."""
    return ReportSummary(
        id=row.id,
        tenant=TenantId(row.tenant_id),
        author_id=row.author_id,
        kind=ReportKind(row.kind),
        title=row.title,
        state=ReportState(row.state),
        period_from=row.period_from,
        period_to=row.period_to,
        job_id=row.job_id,
        writer=Writer(provider=row.writer_provider, model=row.writer_model, label=row.writer_label),
        prompt_version=row.prompt_version,
        rate_card=row.rate_card,
        entry_count=row.entry_count,
        bullet_count=row.bullet_count,
        created_at=row.created_at,
        finished_at=row.finished_at,
        can_delete=row.state != ReportState.PENDING,
    )


def view_report(row: Report) -> ReportView:
    """A row with its document, under its present title, and its entries (one more query)."""
    summary = view_summary(row)
    document = None if row.document is None else Document.from_json({**row.document, "title": row.title})
    snapshots = row.entries.order_by("position").values_list("snapshot", flat=True)
    return ReportView(
        **{name: getattr(summary, name) for name in ReportSummary.__dataclass_fields__},
        author_name=row.author_name,
        document=document,
        entries=tuple(FrozenEntry.from_json(snapshot) for snapshot in snapshots),
    )


def get_report(*, actor: Actor, report_id: UUID) -> ReportView:
    """The actor's report; raises ReportNotFound, also for a deleted one and for another person's."""
    row = _reports_of(actor).filter(id=report_id).first()
    if row is None:
        raise ReportNotFound
    return view_report(row)


def find_report_of_job(*, actor: Actor, job_id: UUID) -> ReportSummary | None:
    """The actor's report that a job makes, or None."""
    row = _reports_of(actor).filter(job_id=job_id).first()
    return None if row is None else view_summary(row)


def list_reports(*, actor: Actor) -> QuerySet[Report]:
    """The actor's reports, newest first, without their documents. `view_summary` makes a row presentable."""
    return _reports_of(actor).defer("document").order_by("-id")


def list_entries_of_jobs(*, actor: Actor, job_ids: Collection[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """(worklog entry, its title at that time) of each entry that the actor's reports by these jobs rest on, in order.

    Also of reports deleted since: what they cost stays.
    """
    rows = ReportEntry.objects.filter(
        tenant_id=actor.tenant, report__author_id=actor.user_id, report__job_id__in=job_ids
    ).order_by("report__job_id", "position")
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    for job_id, entry, title in rows.values_list("report__job_id", "worklog_id", "snapshot__title"):
        found.setdefault(job_id, []).append((entry, title))
    return found


def _reports_of(actor: Actor) -> QuerySet[Report]:
    return Report.objects.filter(tenant_id=actor.tenant, author_id=actor.user_id, deleted_at=None)
