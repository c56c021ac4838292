"""What a writer is asked, and the form of every writer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from apps.llm.types import CallUsage, ChatMessage, Completion


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One question. `ceiling` is the most that it can use: reported usage far above it is not believed."""

    call_id: UUID
    model: str
    messages: Sequence[ChatMessage]
    purpose: str
    response_schema: Mapping[str, Any]
    max_output_tokens: int
    ceiling: CallUsage
    deadline_seconds: float


class Provider(Protocol):
    """A writer."""

    def complete(self, request: ModelRequest) -> Completion:
        """The answer. Raises ModelUnavailable or ModelRefused, which say whether the model may have worked."""
        ...
