"""Words of this app: jobs, their steps, and which state may follow which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models

from apps.common.errors import Conflict, Invalid, NotFound
from apps.common.states import StateMachine
from apps.common.tenancy import TenantId
from apps.llm.types import Writer


class JobKind(models.TextChoices):
    REPORT = "report", "Report"
    EXPORT = "export", "Export of my data"


class JobState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    BLOCKED = "blocked", "Blocked: the reserve does not cover it"


JOB_STATES = StateMachine(
    name="job",
    initial=JobState.QUEUED,
    moves={
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED, JobState.CANCELLED, JobState.BLOCKED}),
        JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.BLOCKED}),
        # A retry puts the job back into the queue; what had succeeded is kept.
        JobState.FAILED: frozenset({JobState.QUEUED}),
        JobState.BLOCKED: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    },
)

ACTIVE_JOB_STATES = (JobState.QUEUED, JobState.RUNNING)


class RunState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    READY = "ready", "Ready"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


RUN_STATES = StateMachine(
    name="job_run",
    initial=RunState.WAITING,
    moves={
        RunState.WAITING: frozenset({RunState.READY, RunState.CANCELLED}),
        RunState.READY: frozenset({RunState.RUNNING, RunState.FAILED, RunState.CANCELLED}),
        RunState.RUNNING: frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED}),
    },
)


ALIVE_RUN_STATES = (RunState.WAITING, RunState.READY, RunState.RUNNING)


@dataclass(frozen=True, slots=True)
class StepPlan:
    """A step that a flow declares. `needs` names the steps whose success makes it ready."""

    name: str
    label: str
    needs: tuple[str, ...] = ()
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunView:
    """One attempt of one step, as its handler sees it. `attempt` is the fencing number: a later one wins."""

    id: UUID
    tenant: TenantId
    job_id: UUID
    step: str
    attempt: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job would cost at most, before anything runs."""

    at_most_micros: int
    calls: int
    input_tokens: int
    max_output_tokens: int
    entries: int
    writer: Writer
    rate_card: str
    available_micros: int
    is_affordable: bool
    reason: str


class JobNotFound(NotFound):
    code = "not_found"
    message = "There is no such job."


class JobKeyReused(Conflict):
    code = "idempotency_mismatch"
    message = "This idempotency key was already used for another request."


class NothingToReport(Invalid):
    code = "invalid"
    message = "Choose at least one entry."


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What a person asks for. Days are inclusive; `entry_ids` None means every entry of the period."""

    kind: str
    period_from: Any
    period_to: Any
    entry_ids: tuple[UUID, ...] | None = None
    title: str = ""


@dataclass(frozen=True, slots=True)
class JobCost:
    """What a job may cost and what it did cost; None while it goes on, since a part is not a cost."""

    estimate_micros: int
    cost_micros: int | None


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What one round of the sweeper did."""

    dispatched: int
    expired_runs: int
    expired_holds: int
    at: datetime
