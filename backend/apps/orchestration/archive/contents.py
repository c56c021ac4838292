"""What lies in the ZIP. Each part opens, reads and closes by itself, so that none keeps a transaction for long."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from apps.accounts import personal_data as accounts
from apps.billing import personal_data as billing
from apps.common.csv_cells import Cell
from apps.common.money import format_dollars
from apps.common.tenancy import TenantId
from apps.llm import personal_data as llm
from apps.mfa import personal_data as mfa
from apps.observability import personal_data as observability
from apps.orchestration.archive.container import Archive
from apps.orchestration.archive.readme import write_readme
from apps.orchestration.models import Job
from apps.reporting import personal_data as reporting
from apps.reporting import render
from apps.tenants import personal_data as tenants
from apps.worklog import personal_data as worklog
from apps.worklog.types import NameKind

Row = TypeVar("Row")

_IDS_AT_ONCE: Final = 50
LEDGER_COLUMNS: Final = (
    "seq", "created_at", "kind", "description", "amount_micros", "amount_dollars", "balance_after_micros", "job_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data it is. Only an owner is given the tenant's money."""

    tenant: TenantId
    user_id: UUID
    is_owner: bool


def write_contents(*, archive: Archive, subject: Subject, written_at: datetime, beat: Callable[[], None]) -> None:
    """Writes every part, and calls `beat` after each: the worker lives."""
    for write in _list_parts(subject, written_at):
        write(archive)
        beat()


def _list_parts(subject: Subject, written_at: datetime) -> Iterator[Callable[[Archive], None]]:
    yield lambda archive: archive.add("README.txt", write_readme(subject.is_owner, written_at).encode())
    yield lambda archive: add_profile(archive, subject)
    yield lambda archive: add_worklog(archive, subject)
    yield lambda archive: add_report_index(archive, subject)
    for report_id in reporting.list_finished_reports(tenant=subject.tenant, author=subject.user_id):
        yield _report_part(subject, report_id)
    yield lambda archive: add_jobs(archive, subject)
    if subject.is_owner:
        yield lambda archive: add_ledger(archive, subject)
        yield lambda archive: add_payments(archive, subject)
        for document_id in billing.list_documents(tenant=subject.tenant):
            yield _document_part(subject, document_id)
    yield lambda archive: add_audit(archive, subject)
    yield lambda archive: add_tokens(archive, subject)


def add_profile(archive: Archive, subject: Subject) -> None:
    person: dict[str, Any] = {
        "person": accounts.get_identity(user_id=subject.user_id),
        "second_factors": mfa.list_factors(user_id=subject.user_id),
        "membership": tenants.get_membership(tenant=subject.tenant, user_id=subject.user_id),
    }
    if subject.is_owner:
        person["billing"] = billing.get_billing(tenant=subject.tenant)
    archive.add_json("profile.json", {"format": "afterresume.profile/1", **person})


def add_worklog(archive: Archive, subject: Subject) -> None:
    whose: dict[str, Any] = {"tenant": subject.tenant, "author": subject.user_id}
    archive.add_json(
        "worklog.json",
        {"format": "afterresume.worklog/1"},
        entries=worklog.iter_entries(**whose),
        versions=worklog.iter_versions(**whose),
        employers=worklog.iter_names(**whose, kind=NameKind.EMPLOYER),
        projects=worklog.iter_names(**whose, kind=NameKind.PROJECT),
        tags=worklog.iter_names(**whose, kind=NameKind.TAG),
    )


def add_report_index(archive: Archive, subject: Subject) -> None:
    rows = reporting.iter_reports(tenant=subject.tenant, author=subject.user_id)
    archive.add_json("reports/index.json", {"format": "afterresume.reports/1"}, reports=rows)


def _report_part(subject: Subject, report_id: UUID) -> Callable[[Archive], None]:
    return lambda archive: add_report(archive, subject, report_id)


def add_report(archive: Archive, subject: Subject, report_id: UUID) -> None:
    """The three files that the product itself gives of a report, byte for byte."""
    report = reporting.find_report(tenant=subject.tenant, author=subject.user_id, report_id=report_id)
    if report is None:
        return
    archive.add(f"reports/{report.id}.json", render.json(report))
    archive.add(f"reports/{report.id}.md", render.markdown(report).encode())
    archive.add(f"reports/{report.id}.pdf", render.pdf(report))


def add_jobs(archive: Archive, subject: Subject) -> None:
    jobs = Job.objects.filter(tenant_id=subject.tenant, author_id=subject.user_id)
    job_ids = list(jobs.order_by("id").values_list("id", flat=True))
    archive.add_json(
        "jobs.json",
        {"format": "afterresume.jobs/1"},
        jobs=_iter_jobs(subject.tenant, job_ids),
        events=_chain(job_ids, lambda ids: observability.iter_events(tenant=subject.tenant, subject_ids=ids)),
        calls=_chain(job_ids, lambda ids: llm.iter_calls(tenant=subject.tenant, job_ids=ids)),
    )


def _iter_jobs(tenant: TenantId, job_ids: Sequence[UUID]) -> Iterator[dict[str, Any]]:
    for ids in _chunks(job_ids):
        for job in Job.objects.filter(tenant_id=tenant, pk__in=ids).order_by("id").prefetch_related("runs"):
            yield {
                "id": job.id,
                "kind": job.kind,
                "title": job.title,
                "state": job.state,
                "params": job.params,
                "subject_id": job.subject_id,
                "estimate_micros": job.estimate_micros,
                "cost_micros": job.cost_micros,
                "error": job.error,
                "created_at": job.created_at,
                "started_at": job.started_at,
                "finished_at": job.finished_at,
                "steps": [
                    {
                        "step": run.step,
                        "attempt": run.attempt,
                        "state": run.state,
                        "started_at": run.started_at,
                        "finished_at": run.finished_at,
                        "error": run.error,
                    }
                    for run in sorted(job.runs.all(), key=lambda run: (run.position, run.attempt))
                ],
            }


def add_ledger(archive: Archive, subject: Subject) -> None:
    """Every movement with the use and the prices that it can be recomputed from, up to one and the same entry."""
    head = billing.get_billing(tenant=subject.tenant)
    upto: dict[str, Any] = {"tenant": subject.tenant, "last_seq": head["last_seq"]}
    archive.add_json(
        "ledger.json",
        {
            "format": "afterresume.ledger/1",
            "currency": head["currency"],
            "balance_micros": head["balance_micros"],
            "last_seq": head["last_seq"],
        },
        entries=billing.iter_ledger(**upto),
        usage_events=billing.iter_usage(**upto),
        rate_cards=billing.iter_rate_cards(tenant=subject.tenant),
    )
    rows = (_ledger_line(entry) for entry in billing.iter_ledger(**upto))
    archive.add_csv("ledger.csv", header=LEDGER_COLUMNS, rows=rows)


def add_payments(archive: Archive, subject: Subject) -> None:
    archive.add_json(
        "payments.json",
        {"format": "afterresume.payments/1"},
        payments=billing.iter_payments(tenant=subject.tenant),
        refunds=billing.iter_refunds(tenant=subject.tenant),
        disputes=billing.iter_disputes(tenant=subject.tenant),
        documents=billing.iter_documents(tenant=subject.tenant),
    )


def _document_part(subject: Subject, document_id: UUID) -> Callable[[Archive], None]:
    return lambda archive: add_document(archive, subject, document_id)


def add_document(archive: Archive, subject: Subject, document_id: UUID) -> None:
    """The page that the product itself gives of a receipt, byte for byte."""
    number, page = billing.get_pdf(tenant=subject.tenant, document_id=document_id)
    archive.add(f"documents/{number}.pdf", page)


def _ledger_line(entry: Mapping[str, Any]) -> list[Cell]:
    values = {**entry, "amount_dollars": Decimal(format_dollars(entry["amount_micros"]))}
    return [values[column] for column in LEDGER_COLUMNS]


def add_audit(archive: Archive, subject: Subject) -> None:
    rows = observability.iter_audit(user_id=subject.user_id)
    grants = tenants.iter_grants(user_id=subject.user_id)
    archive.add_json("audit.json", {"format": "afterresume.audit/1"}, audit=rows, support_grants=grants)


def add_tokens(archive: Archive, subject: Subject) -> None:
    archive.add_json(
        "tokens.json",
        {"format": "afterresume.tokens/1"},
        tokens=accounts.iter_tokens(user_id=subject.user_id),
        devices=accounts.iter_devices(user_id=subject.user_id),
    )


def _chunks(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]


def _chain(ids: Sequence[UUID], read: Callable[[Sequence[UUID]], Iterable[Row]]) -> Iterator[Row]:
    for some in _chunks(ids):
        yield from read(some)
