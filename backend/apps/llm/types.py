"""Words of this app: calls to a writer, their states, their usage, and how they fail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import models

from apps.common.errors import Conflict, NotFound, Unavailable
from apps.common.states import StateMachine
from apps.common.tenancy import TenantId


class CallState(models.TextChoices):
    PLANNED = "planned", "Planned"
    SENT = "sent", "Sent"
    ANSWERED = "answered", "Answered"
    FAILED = "failed", "Failed"
    LOST = "lost", "Lost"


# `sent` is committed before the first byte leaves. `lost` means that nobody knows whether the model had worked.
CALL_STATES: Final = StateMachine(
    name="llm_call",
    initial=CallState.PLANNED,
    moves={
        CallState.PLANNED: frozenset({CallState.SENT, CallState.FAILED}),
        CallState.SENT: frozenset({CallState.ANSWERED, CallState.FAILED, CallState.LOST}),
    },
)
TRANSITIONS: Final = CALL_STATES.moves


class WriterKind(models.TextChoices):
    BUILTIN = "builtin", "Built-in writer"
    OPENAI = "openai", "OpenAI-compatible endpoint"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a chat: role `system`, `user` or `assistant`."""

    role: str
    content: str

    def to_json(self) -> dict[str, str]:
        return {"role": self.role, "content": self.content}


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: the provider's kind, the model's name as prices know it, and a label for people."""

    provider: str
    model: str
    label: str


@dataclass(frozen=True, slots=True)
class CallUsage:
    """Tokens by class. The classes do not overlap: their sum is all that was read and written."""

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    output: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer of the writer, usable or not: `services.check_completion` tells.

    `usage` is None when the endpoint reported none that can be believed; `usage_flag` then says why (`missing`,
    `negative`, `not_integer`, `absurd`, `inconsistent`). `finish_reason` is `stop`, `length`, `content_filter`,
    `refusal` or the endpoint's own word. `has_unclear_attempt`: an earlier try of this call may have been served too.
    """

    content: str
    usage: CallUsage | None
    provider_request_id: str
    finish_reason: str
    duration_ms: int
    usage_flag: str = ""
    attempts: int = 1
    has_unclear_attempt: bool = False


@dataclass(frozen=True, slots=True)
class CallView:
    """A stored call."""

    id: UUID
    tenant: TenantId
    job_id: UUID
    operation_key: str
    state: CallState
    writer: Writer
    purpose: str
    prompt_version: str
    max_output_tokens: int
    content: str | None
    error_code: str | None
    messages: tuple[ChatMessage, ...] = ()
    response_schema: Mapping[str, Any] = field(default_factory=dict)
    usage: CallUsage | None = None
    finish_reason: str = ""
    provider_request_id: str = ""


class CallNotFound(NotFound):
    message = "There is no such call."


class CallMismatch(Conflict):
    """The operation key belongs to a call with another content."""

    code = "idempotency_mismatch"
    message = "This operation was already planned with another content."


class ModelUnavailable(Unavailable):
    """The writer could not be reached or did not answer in time; the same call may work later.

    `was_served`: False when certainly nothing was produced, None when nobody knows, True when something was.
    `reason` is stable: `not_configured`, `unreachable`, `timeout`, `cut`, `malformed`, `stream_error`, `http_<status>`.
    """

    code = "model_unavailable"
    message = "The writer did not answer. Please try again in a moment."

    def __init__(self, reason: str, *, was_served: bool | None, message: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.was_served = was_served


class ModelRefused(Conflict):
    """The writer will not do this; asking the same again is pointless. Attributes as in ModelUnavailable.

    `reason` is stable: `length`, `content_filter`, `refusal`, `empty`, `too_large`, `unsupported_task` or
    `http_<status>`.
    """

    code = "model_refused"
    message = "The writer declined this request."

    def __init__(self, reason: str, *, was_served: bool | None, message: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.was_served = was_served
