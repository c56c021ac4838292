"""What a person has in this app: read for their export, deleted at their erasure."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.common.db import erasing
from apps.common.tenancy import TenantId
from apps.reporting.models import Report, ReportEntry
from apps.reporting.selectors import view_report
from apps.reporting.types import ReportState, ReportView


def count_reports(*, tenant: TenantId, author: UUID) -> int:
    """How many reports the person has asked for, deleted ones too."""
    return _own(tenant, author).count()


def iter_reports(*, tenant: TenantId, author: UUID) -> Iterator[dict[str, Any]]:
    """All reports of the person without their documents, in the order of asking."""
    for row in _own(tenant, author).defer("document").order_by("id").iterator(chunk_size=200):
        yield {
            "id": row.id,
            "kind": row.kind,
            "title": row.title,
            "state": row.state,
            "period_from": row.period_from,
            "period_to": row.period_to,
            "author_name": row.author_name,
            "writer": row.writer_label,
            "prompt_version": row.prompt_version,
            "rate_card": row.rate_card,
            "job_id": row.job_id,
            "entry_count": row.entry_count,
            "bullet_count": row.bullet_count,
            "created_at": row.created_at,
            "finished_at": row.finished_at,
            "deleted_at": row.deleted_at,
        }


def list_finished_reports(*, tenant: TenantId, author: UUID) -> list[UUID]:
    """The reports of the person that have a document, in the order of asking."""
    return list(_own(tenant, author).filter(state=ReportState.READY).order_by("id").values_list("id", flat=True))


def find_report(*, tenant: TenantId, author: UUID, report_id: UUID) -> ReportView | None:
    """One of them in full, also a deleted one; None when it has gone in the meantime."""
    row = _own(tenant, author).filter(id=report_id).first()
    return None if row is None else view_report(row)


def _own(tenant: TenantId, author: UUID) -> QuerySet[Report]:
    return Report.objects.filter(tenant_id=tenant, author_id=author)


def list_tenants_of(*, author: UUID) -> list[TenantId]:
    """Every tenant in which the person has asked for a report. Crosses tenants: for an erasure alone."""
    return [
        TenantId(row) for row in Report.objects.filter(author_id=author).values_list("tenant_id", flat=True).distinct()
    ]


@transaction.atomic
def erase_reports(*, tenant: TenantId, author: UUID | None, limit: int) -> list[UUID]:
    """Deletes so many of the person's reports, or of everybody's, with their frozen entries, and says which.

    Empty: all are gone.
    """
    wanted = Report.objects.filter(tenant_id=tenant)
    if author is not None:
        wanted = wanted.filter(author_id=author)
    ids = list(wanted.order_by("id").values_list("id", flat=True)[:limit])
    with erasing():
        ReportEntry.objects.filter(tenant_id=tenant, report_id__in=ids).delete()
    Report.objects.filter(tenant_id=tenant, id__in=ids).delete()
    return ids
