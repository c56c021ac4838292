"""What the status bar shows."""

from dataclasses import dataclass
from datetime import datetime

from apps.backend.pages import read
from apps.backend.transport import Call, Caller

# A poll that takes longer than this is a missed one; the next comes soon enough.
POLL_DEADLINE = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusBar:
    """`level` is green, yellow or red; `notice` is "", low, empty or stopped, and what the banner says.

    Tokens are this calendar month's in the person's time zone.
    """

    reserve_balance_cents: int
    reserve_balance_dollars: str
    reserve_balance_micros: int
    available_micros: int
    is_low_balance: bool
    level: str
    tokens_in: int
    tokens_out: int
    jobs_running: int
    updated_at: datetime
    is_stopped: bool = False
    notice: str = ""


@dataclass(frozen=True, slots=True)
class StatusApi:
    caller: Caller

    def bar(self) -> StatusBar:
        call = Call(method="GET", path="/api/status/bar/", deadline=POLL_DEADLINE)
        return read(StatusBar, self.caller.send(call))
