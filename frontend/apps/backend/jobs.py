"""Background work: its state, its steps and what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.backend.pages import Page, read, read_page
from apps.backend.transport import Call, Caller

OPEN_STATES = frozenset({"queued", "running"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStep:
    name: str
    label: str
    state: str
    attempt: int
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`progress` is 0 to 100; `state` one of queued, running, succeeded, failed, cancelled, blocked."""

    id: UUID
    kind: str
    state: str
    progress: int
    steps: tuple[JobStep, ...]
    estimate_micros: int | None
    cost_micros: int | None
    report_id: UUID | None
    title: str
    error: str | None
    error_code: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    can_cancel: bool
    can_retry: bool

    @property
    def is_open(self) -> bool:
        """Whether it may still change by itself, so that a page goes on asking."""
        return self.state in OPEN_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEvent:
    at: datetime
    name: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobsApi:
    caller: Caller

    def list(self, *, state: str = "", kind: str = "", cursor: str | None = None, page_size: int = 25) -> Page[Job]:
        query = {"state": state, "kind": kind, "cursor": cursor, "page_size": page_size}
        return read_page(Job, self.caller.send(Call(method="GET", path="/api/jobs/", query=query)))

    def get(self, *, job_id: UUID) -> Job:
        return read(Job, self.caller.send(Call(method="GET", path=f"/api/jobs/{job_id}/")))

    def events(self, *, job_id: UUID, cursor: str | None = None) -> Page[JobEvent]:
        call = Call(method="GET", path=f"/api/jobs/{job_id}/events/", query={"cursor": cursor})
        return read_page(JobEvent, self.caller.send(call))

    def cancel(self, *, job_id: UUID) -> Job:
        """Raises Conflict with code `wrong_state` when it is too late."""
        return read(Job, self.caller.send(Call(method="POST", path=f"/api/jobs/{job_id}/cancel/")))

    def retry(self, *, job_id: UUID, idempotency_key: str) -> Job:
        """Raises Conflict with code `wrong_state` when there is nothing to retry, PaymentRequired."""
        call = Call(method="POST", path=f"/api/jobs/{job_id}/retry/", idempotency_key=idempotency_key)
        return read(Job, self.caller.send(call))
