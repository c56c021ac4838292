"""The outside truth about model calls: what was asked, what was produced, whether the answer left whole."""

import threading
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

MAX_CALLS = 10_000


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call. `is_served` means that tokens were produced, whether or not the answer arrived."""

    number: int
    at: str
    body: object
    fault: str | None
    status: int = 0
    request_id: str = ""
    is_served: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Journal:
    """The calls in their order."""

    def __init__(self) -> None:
        self._calls: dict[int, Call] = {}
        self._count = 0
        self._lock = threading.Lock()

    def open(self, *, body: object, fault: str | None, request_id: str) -> int:
        """Write a call down before it is answered; return its number."""
        with self._lock:
            self._count += 1
            at = datetime.now(UTC).isoformat()
            self._calls[self._count] = Call(number=self._count, at=at, body=body, fault=fault, request_id=request_id)
            self._calls.pop(self._count - MAX_CALLS, None)
            return self._count

    def close(self, number: int, *, status: int, is_served: bool, prompt_tokens: int, completion_tokens: int) -> None:
        """Write down how a call ended."""
        with self._lock:
            if number in self._calls:
                self._calls[number] = replace(
                    self._calls[number],
                    status=status,
                    is_served=is_served,
                    prompt_tokens=prompt_tokens,
                    completion_tokens=completion_tokens,
                )

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()

    def as_json(self) -> dict[str, object]:
        """Return the calls with their sums."""
        with self._lock:
            calls = list(self._calls.values())
        served = [call for call in calls if call.is_served]
        return {
            "calls": [asdict(call) for call in calls],
            "served": len(served),
            "prompt_tokens": sum(call.prompt_tokens for call in served),
            "completion_tokens": sum(call.completion_tokens for call in served),
        }
