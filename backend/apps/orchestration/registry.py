"""Which flow drives which kind of job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from apps.common.clock import Clock
from apps.orchestration.models import Job
from apps.orchestration.types import JobKind, RunView


@dataclass(frozen=True, slots=True)
class Flow:
    """What a kind of job adds to the machinery of steps.

    `run_step` is called outside any transaction and must end its run through `services.steps`. All else is called
    inside the transaction that moves the job, with the job's row locked.
    """

    kind: JobKind
    run_step: Callable[[RunView, Clock], None]
    # Makes the payload of a further attempt (a new call with its hold of at most so many micros, None for as much as
    # it takes); may raise PaymentRequired.
    prepare_attempt: Callable[[RunView, datetime, int | None], Mapping[str, Any]]
    # Ends whatever an attempt left open, when it will not run (any more).
    abandon_attempt: Callable[[RunView, datetime], None]
    compute_cost: Callable[[Job], int]
    on_failed: Callable[[Job, datetime], None]
    on_cancelled: Callable[[Job, datetime], None]
    on_reopened: Callable[[Job, datetime], None]


_flows: Final[dict[str, Flow]] = {}


def register_flow(flow: Flow) -> None:
    _flows[flow.kind] = flow


def get_flow(kind: str) -> Flow:
    """The flow of a kind; KeyError means that a job was stored for a kind that nobody registered."""
    return _flows[kind]
