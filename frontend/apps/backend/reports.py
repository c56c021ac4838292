"""Documents made from entries: what they would cost, their making, their content, their files."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from apps.backend.jobs import Job
from apps.backend.pages import Page, read, read_page
from apps.backend.transport import Call, Caller, Download

ExportFormat = Literal["pdf", "md", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who writes: `label` is made for people."""

    provider: str
    model: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """Without `entry_ids` all entries of the inclusive period are meant; without `title` the backend names it."""

    period_from: date
    period_to: date
    entry_ids: tuple[UUID, ...] = ()
    title: str = ""
    kind: str = "brag_document"

    @property
    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "kind": self.kind,
            "period_from": self.period_from.isoformat(),
            "period_to": self.period_to.isoformat(),
        }
        if self.entry_ids:
            payload["entry_ids"] = [str(entry_id) for entry_id in self.entry_ids]
        if self.title:
            payload["title"] = self.title
        return payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The most that it can cost. `reason` says why it cannot be afforded, empty when it can."""

    at_most_micros: int
    at_most_dollars: str
    calls: int
    input_tokens: int
    max_output_tokens: int
    entries: int
    writer: Writer
    rate_card: str
    available_micros: int
    is_affordable: bool
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullet:
    """`entry_ids` are the entries that the sentence rests on."""

    id: str
    text: str
    entry_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    heading: str
    bullets: tuple[Bullet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    title: str
    subtitle: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenEntry:
    """An entry as it was when the report was made."""

    id: UUID
    version: int
    occurred_on: date
    title: str
    body: str
    employer: str
    project: str
    role: str
    tags: tuple[str, ...]
    impact: str
    hours: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSummary:
    """A report in a list. `cost_micros` is None until it is known."""

    id: UUID
    kind: str
    title: str
    state: str
    period_from: date
    period_to: date
    created_at: datetime
    job_id: UUID | None
    writer: Writer | None
    prompt_version: str | None
    rate_card: str | None
    cost_micros: int | None
    estimate_micros: int | None
    can_delete: bool
    entry_count: int
    bullet_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report with its document, which is None until the state is `ready`."""

    id: UUID
    kind: str
    title: str
    state: str
    period_from: date
    period_to: date
    created_at: datetime
    job_id: UUID | None
    writer: Writer | None
    prompt_version: str | None
    rate_card: str | None
    cost_micros: int | None
    estimate_micros: int | None
    can_delete: bool
    document: Document | None
    entries: tuple[FrozenEntry, ...]

    @property
    def entries_by_id(self) -> dict[UUID, FrozenEntry]:
        return {entry.id: entry for entry in self.entries}


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedReport:
    report: Report
    job: Job


@dataclass(frozen=True, slots=True)
class ReportsApi:
    caller: Caller

    def estimate(self, *, request: ReportRequest) -> Estimate:
        """Nothing is saved. Raises Invalid on `entry_ids` when there is nothing to write about, Conflict `no_price`."""
        payload = {"kind": "report", "params": request.payload}
        call = Call(method="POST", path="/api/jobs/estimate/", payload=payload)
        return read(Estimate, self.caller.send(call))

    def create(self, *, request: ReportRequest, idempotency_key: str) -> StartedReport:
        """Raises PaymentRequired `insufficient_reserve`, Conflict `no_price`, Invalid."""
        call = Call(method="POST", path="/api/reports/", payload=request.payload, idempotency_key=idempotency_key)
        return read(StartedReport, self.caller.send(call))

    def list(self, *, cursor: str | None = None, page_size: int = 25) -> Page[ReportSummary]:
        query = {"cursor": cursor, "page_size": page_size}
        return read_page(ReportSummary, self.caller.send(Call(method="GET", path="/api/reports/", query=query)))

    def get(self, *, report_id: UUID) -> Report:
        return read(Report, self.caller.send(Call(method="GET", path=f"/api/reports/{report_id}/")))

    def rename(self, *, report_id: UUID, title: str) -> Report:
        call = Call(method="PATCH", path=f"/api/reports/{report_id}/", payload={"title": title})
        return read(Report, self.caller.send(call))

    def delete(self, *, report_id: UUID) -> None:
        self.caller.send(Call(method="DELETE", path=f"/api/reports/{report_id}/"))

    def export(self, *, report_id: UUID, file_format: ExportFormat) -> Download:
        """Raises Conflict with code `wrong_state` while there is no document."""
        call = Call(method="GET", path=f"/api/reports/{report_id}/export/", query={"format": file_format})
        return self.caller.download(call)
