"""Faults on demand: of the API, of payments, of webhook deliveries."""

import threading
from dataclasses import asdict, dataclass, replace

from devstack.standins.stripe.errors import Json

API_KINDS = (
    "status",  # answer `status`; with `effect` true the request was carried out all the same
    "hang",  # say nothing for `seconds`, then close; `effect` as above
    "lost",  # carry the request out and close the connection without an answer
)
PAYMENT_KINDS = ("declined", "requires_action", "processing")
REFUND_KINDS = ("refund_pending",)
WEBHOOK_KINDS = (
    "duplicate",  # deliver `count` times
    "new_id",  # deliver once more as another event with an id of its own
    "drop",  # never deliver
    "delay",  # deliver after `seconds`
    "hold",  # keep until released, in the order that the release names
    "old_timestamp",  # first attempt signed `seconds` ago
    "future_timestamp",  # first attempt signed `seconds` ahead
    "wrong_secret",  # first attempt signed with another secret
    "two_signatures",  # two v1 signatures, the second of them right
    "no_signature",  # first attempt without the header
    "oversize",  # first attempt with `count` bytes of padding in it
    "broken_json",  # first attempt signed, but no JSON
    "livemode",  # first attempt says livemode: true
)
KINDS = API_KINDS + PAYMENT_KINDS + REFUND_KINDS + WEBHOOK_KINDS


class KnobError(ValueError):
    """The description of a fault makes no sense."""


@dataclass(frozen=True, kw_only=True)
class Knob:
    """One fault; `times` None means until cleared. `match` is the beginning of `METHOD /path` or of an event's type."""

    kind: str
    times: int | None = 1
    match: str = ""
    status: int = 500
    seconds: float = 1.0
    count: int = 2
    effect: bool = False
    decline_code: str = "generic_decline"


def parse_knob(description: Json) -> Knob:
    """Read a fault from JSON; raises KnobError that says what is wrong."""
    unknown = set(description) - set(Knob.__dataclass_fields__)
    if unknown:
        raise KnobError(f"unknown: {', '.join(sorted(unknown))}")
    if description.get("kind") not in KINDS:
        raise KnobError(f"kind must be one of {', '.join(KINDS)}")
    knob = Knob(**description)
    if knob.times is not None and not (isinstance(knob.times, int) and knob.times > 0):
        raise KnobError("times must be a positive number, or null for always")
    return knob


class Knobs:
    """The faults that wait, first in, first out."""

    def __init__(self) -> None:
        self._knobs: list[Knob] = []
        self._lock = threading.Lock()

    def add(self, knob: Knob) -> None:
        """Queue a fault behind the others."""
        with self._lock:
            self._knobs.append(knob)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._knobs.clear()

    def take(self, kinds: tuple[str, ...], subject: str) -> Knob | None:
        """Return the first fault of these kinds that fits `subject` and count it; None when there is none."""
        with self._lock:
            for index, knob in enumerate(self._knobs):
                if knob.kind in kinds and subject.startswith(knob.match):
                    self._count(index, knob)
                    return knob
        return None

    def as_json(self) -> list[Json]:
        """Return the waiting faults."""
        with self._lock:
            return [asdict(knob) for knob in self._knobs]

    def _count(self, index: int, knob: Knob) -> None:
        if knob.times == 1:
            self._knobs.pop(index)
        elif knob.times is not None:
            self._knobs[index] = replace(knob, times=knob.times - 1)
