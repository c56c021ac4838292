"""The built-in writer as a provider."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from apps.llm.providers.base import ModelRequest, Provider
from apps.llm.providers.builtin.document import write_document
from apps.llm.tokens import count_pieces
from apps.llm.types import CallUsage, Completion, ModelRefused

TASKS: Final = frozenset({"brag_document"})


class BuiltinProvider:
    """Same question, same answer, same cost: its tokens are the words and marks that it read and wrote."""

    def complete(self, request: ModelRequest) -> Completion:
        started = time.monotonic()
        content = write_document(_read_entries(request), max_bytes=request.max_output_tokens)
        return Completion(
            content=content,
            usage=CallUsage(input=_count_read(request), output=count_pieces(content)),
            provider_request_id=f"builtin:{request.call_id}",
            finish_reason="stop" if content else "length",
            duration_ms=round((time.monotonic() - started) * 1000),
        )


def make_provider() -> Provider:
    return BuiltinProvider()


def _count_read(request: ModelRequest) -> int:
    """The instructions are for models: this writer reads the question alone, and only that is paid for."""
    return sum(count_pieces(message.content) for message in request.messages if message.role == "user")


def _read_entries(request: ModelRequest) -> Sequence[Mapping[str, Any]]:
    """The entries in the last message of the user. Raises ModelRefused for a question that this writer cannot read."""
    questions = [message.content for message in request.messages if message.role == "user"]
    try:
        question = json.loads(questions[-1])
        task, entries = question["task"], question["entries"]
        is_known = task in TASKS and all(isinstance(entry, Mapping) and "id" in entry for entry in entries)
    except (IndexError, KeyError, TypeError, ValueError):
        is_known = False
    if not is_known:
        raise ModelRefused("unsupported_task", was_served=False, message="The built-in writer cannot do this.")
    return list(entries)
