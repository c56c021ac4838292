"""What clients wanted, under which key, and what they were told."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """What a client knows of its operation. UNCLASSIFIED is an answer that nobody should ever get: a finding."""

    UNSENT = "unsent"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    AMBIGUOUS = "ambiguous"
    UNCLASSIFIED = "unclassified"


@dataclass
class Operation:
    """One wish of a client. `result` is what a confirmed one was told; `answers` are all that came under its key."""

    kind: str
    tenant: str
    key: str
    body: dict[str, Any]
    outcome: Outcome = Outcome.UNSENT
    result: dict[str, Any] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        """Whether the client must still find out."""
        return self.outcome in (Outcome.UNSENT, Outcome.AMBIGUOUS)


class Journal:
    """The operations of all clients, in the order in which they were wanted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: list[Operation] = []

    def __iter__(self) -> Iterator[Operation]:
        with self._lock:
            return iter(list(self._operations))

    def note(self, operation: Operation) -> Operation:
        """Before anything is sent."""
        with self._lock:
            self._operations.append(operation)
        return operation

    def of(self, kind: str, *, tenant: str | None = None) -> list[Operation]:
        """The operations of a kind, of one tenant if named."""
        return [one for one in self if one.kind == kind and tenant in (None, one.tenant)]

    def count(self) -> dict[str, Counter[str]]:
        """How many operations of each kind ended in which way."""
        counts: dict[str, Counter[str]] = {}
        for one in self:
            counts.setdefault(one.kind, Counter())[one.outcome.value] += 1
        return counts
