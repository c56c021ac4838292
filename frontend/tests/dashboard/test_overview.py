from datetime import date, timedelta

from apps.dashboard.overview import WEEKS_LOOKED_AT, count_streak, first_day_looked_at, week_bars

MONDAY = date(2026, 11, 23)
WEEK = timedelta(days=7)


def test_weeks_in_a_row_are_a_streak() -> None:
    days = [MONDAY, MONDAY - WEEK, MONDAY - WEEK, MONDAY - 2 * WEEK, MONDAY - 4 * WEEK]
    assert count_streak(days, today=MONDAY + timedelta(days=3)) == 3


def test_a_week_that_has_only_begun_does_not_break_the_row() -> None:
    assert count_streak([MONDAY - timedelta(days=1), MONDAY - timedelta(days=8)], today=MONDAY) == 2


def test_a_week_without_an_entry_ends_it() -> None:
    assert count_streak([MONDAY - 3 * WEEK], today=MONDAY) == 0


def test_bars_are_relative_to_the_busiest_week() -> None:
    bars = week_bars([MONDAY, MONDAY - WEEK, MONDAY - WEEK], today=MONDAY)
    assert [(bar.entries, bar.percent) for bar in bars[-2:]] == [(2, 100), (1, 50)]
    assert (len(bars), bars[0].begins_on, bars[-1].is_current) == (WEEKS_LOOKED_AT, first_day_looked_at(MONDAY), True)


def test_no_entries_are_no_bars_but_a_rhythm() -> None:
    assert {bar.percent for bar in week_bars([], today=MONDAY)} == {0}
