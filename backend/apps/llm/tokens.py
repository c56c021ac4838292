"""Counting tokens without a tokenizer."""

import re
from collections.abc import Iterable
from typing import Final

from apps.llm.types import ChatMessage

# Role markers and separators that chat templates put around each message.
MESSAGE_OVERHEAD: Final = 16

# The answer's schema, which endpoints write into the prompt, and the template's opening.
REQUEST_OVERHEAD: Final = 2_048

_PIECE: Final = re.compile(r"\w+|[^\w\s]")


def count_pieces(text: str) -> int:
    """Words, numbers and marks: near what a model's tokenizer counts, and never more than the text's bytes."""
    return sum(1 for _ in _PIECE.finditer(text))


def count_tokens(text: str) -> int:
    """The number of UTF-8 bytes: byte-level tokenizers, and those that fall back to bytes, never need more tokens."""
    return len(text.encode("utf-8", "surrogatepass"))


def count_message_tokens(messages: Iterable[ChatMessage]) -> int:
    """The bytes of all messages with what surrounds each of them."""
    return sum(count_tokens(message.content) + MESSAGE_OVERHEAD for message in messages)
