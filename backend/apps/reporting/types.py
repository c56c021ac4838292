"""Words of this app: reports, the one document model behind every export, and which state may follow which."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from django.db import models

from apps.common.errors import Conflict, Invalid, NotFound
from apps.common.states import StateMachine, WrongState
from apps.common.tenancy import TenantId
from apps.llm.types import ChatMessage, Writer
from apps.worklog.types import FROZEN_MAX, FrozenEntry

TITLE_MAX: Final = 200
ENTRIES_MAX: Final = FROZEN_MAX


class ReportKind(models.TextChoices):
    BRAG_DOCUMENT = "brag_document", "Brag document"


class ReportState(models.TextChoices):
    PENDING = "pending", "Being written"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


REPORT_STATES: Final = StateMachine(
    name="report",
    initial=ReportState.PENDING,
    moves={
        ReportState.PENDING: frozenset({ReportState.READY, ReportState.FAILED, ReportState.CANCELLED}),
        # A retry of its job.
        ReportState.FAILED: frozenset({ReportState.PENDING}),
    },
)
TRANSITIONS: Final = REPORT_STATES.moves


@dataclass(frozen=True, slots=True)
class Bullet:
    """A claim with the entries that it rests on. The id is empty until the document is put together."""

    id: str
    text: str
    entry_ids: tuple[UUID, ...]

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "text": self.text, "entry_ids": [str(entry_id) for entry_id in self.entry_ids]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Bullet":
        """Reads what `to_json` gave."""
        return cls(id=data["id"], text=data["text"], entry_ids=tuple(UUID(item) for item in data["entry_ids"]))


@dataclass(frozen=True, slots=True)
class Section:
    """Bullets under a heading."""

    heading: str
    bullets: tuple[Bullet, ...]

    def to_json(self) -> dict[str, Any]:
        return {"heading": self.heading, "bullets": [bullet.to_json() for bullet in self.bullets]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Section":
        """Reads what `to_json` gave."""
        return cls(heading=data["heading"], bullets=tuple(Bullet.from_json(item) for item in data["bullets"]))


@dataclass(frozen=True, slots=True)
class Document:
    """What every export is made of."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]

    @property
    def bullet_count(self) -> int:
        return sum(len(section.bullets) for section in self.sections)

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "subtitle": self.subtitle,
            "sections": [section.to_json() for section in self.sections],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Document":
        """Reads what `to_json` gave."""
        return cls(
            title=data["title"],
            subtitle=data["subtitle"],
            sections=tuple(Section.from_json(item) for item in data["sections"]),
        )


@dataclass(frozen=True, slots=True)
class PromptPlan:
    """A question to the writer about one batch of entries."""

    operation_suffix: str
    messages: tuple[ChatMessage, ...]
    response_schema: Mapping[str, Any]
    max_output_tokens: int
    prompt_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSummary:
    """A report as lists show it."""

    id: UUID
    tenant: TenantId
    author_id: UUID
    kind: ReportKind
    title: str
    state: ReportState
    period_from: date
    period_to: date
    job_id: UUID
    writer: Writer
    prompt_version: str
    rate_card: str
    entry_count: int
    bullet_count: int
    created_at: datetime
    finished_at: datetime | None
    can_delete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView(ReportSummary):
    """A report with its document (None unless ready) and the entries as they were when it was asked for."""

    author_name: str
    document: Document | None
    entries: tuple[FrozenEntry, ...]


class ReportNotFound(NotFound):
    message = "There is no such report."


class ReportInvalid(Invalid):
    """A field of a report breaks a rule."""


class ReportNotReady(WrongState):
    message = "This report is not ready yet."


class ReportBusy(WrongState):
    message = "This report is still being written. Cancel its job first."


class AnswerMalformed(Conflict):
    """The writer's answer is not a document: not JSON, not of the agreed form, or citing what it was not given."""

    code = "answer_malformed"
    message = "The writer's answer could not be used."
