"""Days as documents write them."""

from datetime import date


def format_day(day: date) -> str:
    """3 November 2026."""
    return f"{day.day} {day:%B %Y}"


def format_period(first: date, last: date) -> str:
    """1 July 2026 to 30 September 2026, or the one day."""
    return format_day(first) if first == last else f"{format_day(first)} to {format_day(last)}"
