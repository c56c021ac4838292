from datetime import UTC, date, datetime, timedelta

import pytest

from apps.shell.formatting import format_ago, format_count, format_day, format_money, look_of_state

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "$0.00"),
        (372, "$0.000372"),
        (40_000, "$0.04"),
        (4_200_000, "$4.20"),
        (1_234_567_891, "$1,234.567891"),
        (-150_000, "−$0.15"),  # noqa: RUF001 - a true minus
    ],
)
def test_money_shows_every_digit_that_counts(micros: int, text: str) -> None:
    assert format_money(micros) == text


def test_a_credit_can_carry_its_plus() -> None:
    assert (format_money(5_000_000, is_signed=True), format_money(0, is_signed=True)) == ("+$5.00", "$0.00")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1K"),
        (1_240, "1.2K"),
        (9_960, "10K"),
        (48_200, "48K"),
        (999_499, "999K"),
        (999_500, "1M"),
        (3_140_000, "3.1M"),
        (25_000_000, "25M"),
    ],
)
def test_counts_fit_the_status_bar(number: int, text: str) -> None:
    assert format_count(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (44, "just now"),
        (50, "1 min ago"),
        (600, "10 min ago"),
        (3_000, "1 h ago"),
        (21 * 3600, "21 h ago"),
        (23 * 3600, "Yesterday"),
        (40 * 86400, "14 Oct"),
    ],
)
def test_past_moments_are_told_coarsely(seconds: int, text: str) -> None:
    assert format_ago(NOW - timedelta(seconds=seconds), now=NOW) == text


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 11, 23), "Today"),
        (date(2026, 11, 22), "Yesterday"),
        (date(2026, 11, 18), "Wednesday"),
        (date(2026, 11, 16), "16 Nov"),
        (date(2026, 11, 24), "24 Nov"),
        (date(2025, 11, 20), "20 Nov 2025"),
    ],
)
def test_near_days_have_names(day: date, text: str) -> None:
    assert format_day(day, today=TODAY) == text


def test_a_state_of_tomorrow_is_shown_by_its_own_name() -> None:
    assert look_of_state("waiting_for_godot").label == "Waiting for godot"
