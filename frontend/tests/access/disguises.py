"""A backend that says what it was given: the same text in the place of every text of its answers."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from tests.fakes.backend import FakeBackend
from tests.fakes.server import Received

# Words of the contract, cursors and secrets: nothing that anybody has typed.
_WORDS: Final = frozenset(
    {"next", "previous", "token", "code", "state", "kind", "role", "level", "plan", "time_zone", "exact"}
)
_VALUES: Final = re.compile(r"-?\d+(?:\.\d+)?|\d{4}-\d\d-\d\d(?:T.*)?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|")
Say = Callable[[Received], str]


@contextmanager
def every_text(fake: FakeBackend, say: Say) -> Iterator[None]:
    """While inside, each answer has what `say` says where it had a text."""
    plain = fake.disguise
    fake.disguise = lambda received, reply: replace(reply, body=_disguise(reply.body, say(received)))
    try:
        yield
    finally:
        fake.disguise = plain


def _disguise(value: Any, text: str, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _disguise(item, text, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_disguise(item, text, name) for item in value]
    is_text = isinstance(value, str) and name not in _WORDS and not _VALUES.fullmatch(value)
    return text if is_text else value
