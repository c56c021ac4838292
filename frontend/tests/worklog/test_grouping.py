"""Entries under their months and weeks."""

from datetime import date
from typing import Any

import pytest

from apps.backend.pages import read
from apps.backend.worklogs import Entry
from apps.worklog.timeline import group_entries, week_label
from tests.fakes import shapes

TODAY = date(2026, 11, 25)


def on(*days: str) -> list[Entry]:
    return [read(Entry, shapes.entry(occurred_on=day)) for day in days]


def outline(*days: str, after: date | None = None) -> list[Any]:
    return [
        (month.label, month.is_continued, [(week.label, week.is_continued, len(week.entries)) for week in month.weeks])
        for month in group_entries(on(*days), today=TODAY, after=after)
    ]


def test_a_week_across_two_months_stands_under_both() -> None:
    assert outline("2026-11-01", "2026-10-31") == [
        ("November 2026", False, [("26 Oct to 1 Nov", False, 1)]),
        ("October 2026", False, [("26 Oct to 1 Nov", False, 1)]),
    ]


def test_entries_of_one_week_share_its_heading() -> None:
    assert outline("2026-11-25", "2026-11-23") == [("November 2026", False, [("This week", False, 2)])]


def test_the_next_page_does_not_repeat_headings() -> None:
    assert outline("2026-11-24", "2026-11-18", after=date(2026, 11, 25)) == [
        ("November 2026", True, [("This week", True, 1), ("Last week", False, 1)])
    ]


def test_the_next_page_may_begin_with_another_week_or_month() -> None:
    assert outline("2026-11-11", after=date(2026, 11, 18))[0][2] == [("9 to 15 Nov", False, 1)]
    assert outline("2026-10-31", after=date(2026, 11, 1))[0][1] is False


@pytest.mark.parametrize(
    ("monday", "label"),
    [
        (date(2026, 11, 23), "This week"),
        (date(2026, 11, 16), "Last week"),
        (date(2026, 11, 9), "9 to 15 Nov"),
        (date(2025, 12, 29), "29 Dec to 4 Jan"),
    ],
)
def test_weeks_have_names_that_people_use(monday: date, label: str) -> None:
    assert week_label(monday, today=TODAY) == label
