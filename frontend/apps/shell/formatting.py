"""Numbers, money and time as people read them. Pure: the clock is an argument."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from django.utils import timezone

MICROS_PER_DOLLAR: Final = 1_000_000
_MINUS: Final = "\N{MINUS SIGN}"
Tone = Literal["neutral", "info", "success", "warning", "danger"]


def format_money(micros: int, *, is_signed: bool = False) -> str:
    """Dollars with every digit that is not zero, at least two: 372 -> $0.000372, 4_200_000 -> $4.20.

    `is_signed` also writes the plus of a credit.
    """
    dollars, fraction = divmod(abs(micros), MICROS_PER_DOLLAR)
    digits = f"{fraction:06d}".rstrip("0").ljust(2, "0")
    sign = _MINUS if micros < 0 else "+" if is_signed and micros > 0 else ""
    return f"{sign}${dollars:,}.{digits}"


def format_recorded(text: str, *, name: str) -> str:
    """A value from the audit: amounts of `name` in micros as money, instants in the active time zone."""
    if name.endswith("_micros") and text.lstrip("-").isdecimal():
        return format_money(int(text))
    try:
        moment = datetime.fromisoformat(text) if len(text) > len("2026-11-23") else None
    except ValueError:
        return text
    if moment is None or moment.tzinfo is None:
        return text
    local = timezone.localtime(moment)
    return f"{local.day} {local:%b %Y, %H:%M}"


def format_count(number: int) -> str:
    """A count that fits a status bar: 950, 1.2K, 48K, 3.1M."""
    # 999,500 and more would round to 1000K, so it belongs to the next letter.
    for size, letter, begins_at in ((1_000_000, "M", 999_500), (1_000, "K", 1_000)):
        if number >= begins_at:
            value = number / size
            return f"{value:.0f}{letter}" if value >= 9.95 else f"{value:.1f}{letter}".replace(".0", "")
    return str(number)


def format_ago(moment: datetime, *, now: datetime) -> str:
    """How long ago, coarsely; beyond a day the day itself, in the active time zone."""
    seconds = max((now - moment).total_seconds(), 0)
    if seconds < 45:
        return "just now"
    if seconds < 45 * 60:
        return f"{max(round(seconds / 60), 1)} min ago"
    if seconds < 22 * 3600:
        return f"{max(round(seconds / 3600), 1)} h ago"
    return format_day(timezone.localtime(moment).date(), today=timezone.localtime(now).date())


def format_day(day: date, *, today: date) -> str:
    """Today, Yesterday, a weekday of the past week, or the date with the year when it is another one."""
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if today - timedelta(days=7) < day < today:
        return f"{day:%A}"
    return f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b %Y}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLook:
    """A state is never told by its colour alone: it has a word and an icon."""

    label: str
    icon: str
    tone: Tone


STATE_LOOKS: Final[dict[str, StateLook]] = {
    "queued": StateLook(label="Queued", icon="clock", tone="neutral"),
    "waiting": StateLook(label="Waiting", icon="circle-dashed", tone="neutral"),
    "ready": StateLook(label="Ready", icon="circle-check", tone="success"),
    "pending": StateLook(label="In the making", icon="refresh", tone="info"),
    "running": StateLook(label="Running", icon="player-play", tone="info"),
    "succeeded": StateLook(label="Done", icon="circle-check", tone="success"),
    "failed": StateLook(label="Failed", icon="circle-x", tone="danger"),
    "cancelled": StateLook(label="Cancelled", icon="player-stop", tone="neutral"),
    "blocked": StateLook(label="Blocked: reserve too low", icon="ban", tone="warning"),
    "on": StateLook(label="On", icon="circle-check", tone="success"),
    "off": StateLook(label="Off", icon="circle-dashed", tone="warning"),
    "current": StateLook(label="This device", icon="device-desktop", tone="info"),
    "confirmed": StateLook(label="Confirmed", icon="circle-check", tone="success"),
    "unconfirmed": StateLook(label="Not confirmed", icon="alert-triangle", tone="warning"),
    "open": StateLook(label="Open", icon="circle-check", tone="success"),
    "closed": StateLook(label="Closed", icon="lock", tone="danger"),
    "owner": StateLook(label="Owner", icon="key", tone="info"),
    "member": StateLook(label="Member", icon="user-circle", tone="neutral"),
    "staff": StateLook(label="Staff", icon="shield-cog", tone="info"),
    "active": StateLook(label="Active", icon="circle-check", tone="success"),
    "used": StateLook(label="Used", icon="check", tone="neutral"),
    "expired": StateLook(label="Expired", icon="clock", tone="neutral"),
    "revoked": StateLook(label="Revoked", icon="ban", tone="neutral"),
    "draft": StateLook(label="Draft", icon="pencil", tone="neutral"),
    "final": StateLook(label="Final", icon="check", tone="success"),
    "current_plan": StateLook(label="Your plan", icon="circle-check", tone="success"),
    "unpaid": StateLook(label="Not paid yet", icon="clock", tone="info"),
    "checking": StateLook(label="Being looked up", icon="refresh", tone="info"),
    "needs_customer": StateLook(label="Waits for you", icon="alert-triangle", tone="warning"),
    "paid": StateLook(label="Paid", icon="circle-check", tone="success"),
    "declined": StateLook(label="Declined", icon="circle-x", tone="danger"),
    "canceled": StateLook(label="Canceled", icon="ban", tone="neutral"),
    "attempting": StateLook(label="Charging the card", icon="refresh", tone="info"),
    "cooling": StateLook(label="Pausing", icon="clock-pause", tone="warning"),
    "suspended": StateLook(label="Stopped", icon="player-stop", tone="danger"),
    "awaited": StateLook(label="Waits for the customer", icon="clock-pause", tone="warning"),
    "received": StateLook(label="Received", icon="clock", tone="info"),
    "done": StateLook(label="Done", icon="circle-check", tone="success"),
    "ignored": StateLook(label="Of no interest", icon="circle-dashed", tone="neutral"),
    "parked": StateLook(label="Parked", icon="alert-triangle", tone="danger"),
    "proved": StateLook(label="Proved", icon="circle-check", tone="success"),
    "broken": StateLook(label="Broken", icon="alert-circle", tone="danger"),
    "opened": StateLook(label="Opened", icon="alert-triangle", tone="warning"),
    "withdrawn": StateLook(label="Money taken", icon="alert-circle", tone="danger"),
    "reinstated": StateLook(label="Money given back", icon="circle-check", tone="success"),
    "lost": StateLook(label="Lost", icon="circle-x", tone="danger"),
    "green": StateLook(label="Healthy", icon="circle-check", tone="success"),
    "yellow": StateLook(label="Low", icon="alert-triangle", tone="warning"),
    "red": StateLook(label="Spent", icon="alert-circle", tone="danger"),
}


def look_of_state(state: str) -> StateLook:
    """How a state looks; one that this service does not know yet is shown by its own name."""
    unknown = StateLook(label=state.replace("_", " ").capitalize(), icon="circle-dashed", tone="neutral")
    return STATE_LOOKS.get(state, unknown)
