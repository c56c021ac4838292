"""The chat-completions protocol: the question's form, the answer's parts, and usage that may be believed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from apps.llm.providers.base import ModelRequest
from apps.llm.types import CallUsage

# Usage above the ceiling by more than this factor is an error of the endpoint, not a bill.
ABSURD_FACTOR: Final = 100


@dataclass
class Question:
    """The request's body, which gives way when the endpoint does not know one of its newer or older fields."""

    request: ModelRequest
    limit_field: str = "max_tokens"
    has_schema: bool = True
    has_stream_options: bool = True

    def to_json(self) -> dict[str, object]:
        body: dict[str, object] = {
            "model": self.request.model,
            "messages": [message.to_json() for message in self.request.messages],
            self.limit_field: self.request.max_output_tokens,
            "response_format": self._response_format(),
            "stream": True,
        }
        if self.has_stream_options:
            body["stream_options"] = {"include_usage": True}
        return body

    def _response_format(self) -> dict[str, object]:
        if not self.has_schema:
            return {"type": "json_object"}
        schema = {"name": self.request.purpose, "strict": True, "schema": dict(self.request.response_schema)}
        return {"type": "json_schema", "json_schema": schema}

    def give_way(self, complaint: str) -> bool:
        """Changes the question that the endpoint complained about. False when there is nothing left to change."""
        if "max_completion_tokens" in complaint and self.limit_field == "max_tokens":
            self.limit_field = "max_completion_tokens"
            return True
        if "stream_options" in complaint and self.has_stream_options:
            self.has_stream_options = False
            return True
        if self.has_schema:
            self.has_schema = False
            return True
        return False


class NotAnAnswer(ValueError):
    """What came with status 200 is no chat completion."""


@dataclass
class Answer:
    """An answer that comes in whole or in pieces."""

    id: str = ""
    finish_reason: str = ""
    usage: object = None
    _content: list[str] = field(default_factory=list)
    _refusal: list[str] = field(default_factory=list)

    @property
    def is_finished(self) -> bool:
        return bool(self.finish_reason)

    @property
    def content(self) -> str:
        return "" if self.is_refused else "".join(self._content)

    @property
    def is_refused(self) -> bool:
        return any(self._refusal)

    def take(self, piece: object) -> None:
        """Adds a chunk of a stream, or the one object that is the whole answer. Raises NotAnAnswer."""
        if not isinstance(piece, Mapping):
            raise NotAnAnswer
        self.id = self.id or _as_text(piece.get("id"))
        self.usage = piece.get("usage") or self.usage
        choices = piece.get("choices")
        if not isinstance(choices, list):
            raise NotAnAnswer
        for choice in choices:
            if isinstance(choice, Mapping) and choice.get("index", 0) == 0:
                self._take_choice(choice)

    def _take_choice(self, choice: Mapping[str, Any]) -> None:
        said = choice.get("delta") or choice.get("message")
        if isinstance(said, Mapping):
            self._content.append(_as_text(said.get("content")))
            self._refusal.append(_as_text(said.get("refusal")))
        self.finish_reason = _as_text(choice.get("finish_reason")) or self.finish_reason


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


class _Unbelievable(ValueError):
    """A usage block that cannot be billed; the text is the flag."""


def normalise_usage(reported: object, *, ceiling: CallUsage, has_content: bool) -> tuple[CallUsage | None, str]:
    """The reported usage by token class, or None with a flag that says what is wrong with it."""
    try:
        usage = _read_usage(reported, ceiling)
    except _Unbelievable as reason:
        return None, str(reason)
    # Endpoints that do not count report zeros, but an answer takes both a question and words.
    is_counted = usage.input + usage.cached_input + usage.cache_write > 0 and not (has_content and usage.output == 0)
    return (usage, "") if is_counted else (None, "missing")


def _read_usage(reported: object, ceiling: CallUsage) -> CallUsage:
    if not isinstance(reported, Mapping):
        raise _Unbelievable("missing")
    prompt = _count(reported, "prompt_tokens")
    completion = _count(reported, "completion_tokens")
    read = _details(reported, "prompt_tokens_details")
    cached, written = _count(read, "cached_tokens"), _count(read, "cache_write_tokens")
    reasoning = _count(_details(reported, "completion_tokens_details"), "reasoning_tokens")
    if prompt > ceiling.input * ABSURD_FACTOR or completion + reasoning > max(ceiling.output, 1) * ABSURD_FACTOR:
        raise _Unbelievable("absurd")
    # Most endpoints count reasoning within the completion; some beside it, and then the total says so.
    is_beside = reasoning > 0 and reported.get("total_tokens") == prompt + completion + reasoning
    output = completion if is_beside else completion - reasoning
    if cached + written > prompt or output < 0:
        raise _Unbelievable("inconsistent")
    return CallUsage(
        input=prompt - cached - written, cached_input=cached, cache_write=written, output=output, reasoning=reasoning
    )


def _details(reported: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    details = reported.get(name)
    return details if isinstance(details, Mapping) else {}


def _count(reported: Mapping[str, Any], name: str) -> int:
    value = reported.get(name) or 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise _Unbelievable("not_integer")
    if value < 0:
        raise _Unbelievable("negative")
    return value
