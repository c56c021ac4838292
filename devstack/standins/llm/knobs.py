"""What goes wrong with the next calls: faults set over HTTP, each for a number of calls or until it is cleared."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

KINDS = (
    "status",  # answer `status` (429, 500, ...) with `retry_after` in the header when it is given
    "hang",  # say nothing for `seconds`, then close
    "slow_drip",  # the right answer, a piece every `seconds`
    "cut",  # the right answer, broken off in the middle
    "no_usage",  # the right answer without a usage block
    "usage",  # the right answer with `usage` as it stands: negative, huge, a string
    "refusal",  # the model declines
    "malformed",  # content that is no JSON
    "content",  # `content` as it stands
)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault; `times` None means until cleared."""

    kind: str
    times: int | None = 1
    status: int = 500
    retry_after: str | None = None
    seconds: float = 0.1
    usage: object = None
    content: str = ""


class KnobError(ValueError):
    """The description of a fault makes no sense."""


def parse_fault(description: Mapping[str, object]) -> Fault:
    """Read a fault from JSON; raises KnobError that says what is wrong."""
    unknown = set(description) - set(Fault.__dataclass_fields__)
    if unknown:
        raise KnobError(f"unknown: {', '.join(sorted(unknown))}")
    if description.get("kind") not in KINDS:
        raise KnobError(f"kind must be one of {', '.join(KINDS)}")
    fault = Fault(**description)  # type: ignore[arg-type]
    if fault.times is not None and not (isinstance(fault.times, int) and fault.times > 0):
        raise KnobError("times must be a positive number, or null for always")
    if not isinstance(fault.status, int) or not isinstance(fault.seconds, int | float):
        raise KnobError("status and seconds are numbers")
    return fault


class Knobs:
    """The faults that wait, first in, first out."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Queue a fault behind the others."""
        with self._lock:
            self._faults.append(fault)

    def take(self) -> Fault | None:
        """Return the fault of this call and count it; None when the call goes well."""
        with self._lock:
            if not self._faults:
                return None
            fault = self._faults[0]
            if fault.times is not None:
                if fault.times == 1:
                    self._faults.pop(0)
                else:
                    self._faults[0] = replace(fault, times=fault.times - 1)
            return fault

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def as_json(self) -> list[dict[str, object]]:
        """Return the waiting faults."""
        with self._lock:
            return [asdict(fault) for fault in self._faults]
