"""What a proof found, by the rule that is broken, and how it is kept."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from django.db import models

from apps.billing.models import LedgerProof

_log = structlog.get_logger(__name__)

_SHOWN: Final = 20


class Invariant(models.IntegerChoices):
    """What must hold of the money, on any database and while it runs."""

    BOOKS = 1, "The books add up and nobody changed them"
    FLOOR = 2, "Only a reversal ends below the floor"
    PAYMENTS = 3, "Each payment is one top-up"
    CLAWBACKS = 4, "What was taken back of a payment is in the ledger"
    USAGE = 5, "Usage costs what it was charged"
    CALLS = 6, "Each model call is usage or a loss"
    HOLDS = 7, "Each hold ends once, in time"
    AUTOMATIC = 8, "Automatic top-ups keep to their limits"


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that does not hold, and the row that breaks it."""

    invariant: Invariant
    text: str

    def __str__(self) -> str:
        return f"{self.invariant.value}. {self.invariant.label}: {self.text}"


@dataclass
class Findings:
    """What a proof has read so far, what did not hold, and what could not be looked at."""

    accounts: int = 0
    entries: int = 0
    events: int = 0
    payments: int = 0
    calls: int = 0
    problems: list[Problem] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def add(self, problems: Iterable[Problem]) -> None:
        self.problems += problems

    def skip(self, what: str) -> None:
        """Notes, also in the log, that a part was not proved."""
        self.skipped.append(what)
        _log.warning("proof.skipped", what=what)


def store_proof(*, findings: Findings, now: datetime) -> LedgerProof:
    """Keeps the result, and raises an alarm in the log when something did not hold."""
    problems = [str(problem) for problem in findings.problems]
    proof = LedgerProof.objects.create(
        at=now,
        is_ok=not problems,
        accounts=findings.accounts,
        entries=findings.entries,
        events=findings.events,
        problems=len(problems),
        first_broken=problems[0][:500] if problems else "",
        duration_ms=int((time.monotonic() - findings.started) * 1000),
    )
    if problems:
        _log.error("ledger.broken", problems=len(problems), first=problems[:_SHOWN])
    else:
        _log.info("ledger.proved", accounts=findings.accounts, entries=findings.entries, events=findings.events)
    return proof
