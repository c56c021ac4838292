"""Named periods, from a day in the person's zone."""

from datetime import date

import pytest

from apps.reporting.forms import period_form
from apps.reporting.periods import Period, named_period

TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("this_quarter", date(2026, 10, 1), date(2026, 12, 31)),
        ("last_quarter", date(2026, 7, 1), date(2026, 9, 30)),
        ("this_year", date(2026, 1, 1), date(2026, 12, 31)),
        ("of my own", date(2026, 10, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_has_its_first_and_last_day(name: str, first: date, last: date) -> None:
    assert named_period(name, today=TODAY) == Period(first=first, last=last)


def test_the_quarter_before_the_first_is_of_last_year() -> None:
    assert named_period("last_quarter", today=date(2026, 2, 3)).first == date(2025, 10, 1)


def test_the_form_begins_with_this_quarter_and_shows_its_days() -> None:
    form, period = period_form({}, today=TODAY)
    assert period == Period(first=date(2026, 10, 1), last=date(2026, 12, 31))
    assert form["from"].value() == "2026-10-01"


def test_days_of_ones_own_choice_are_taken() -> None:
    data = {"period": "custom", "from": "2026-03-01", "to": "2026-03-31"}
    assert period_form(data, today=TODAY)[1] == Period(first=date(2026, 3, 1), last=date(2026, 3, 31))


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [("", "2026-03-31", "from"), ("soon", "2026-03-31", "from"), ("2026-03-31", "2026-03-01", "to")],
)
def test_days_that_are_not_clear_are_asked_for(first: str, last: str, field: str) -> None:
    form, period = period_form({"period": "custom", "from": first, "to": last}, today=TODAY)
    assert period is None
    assert form.errors[field]


def test_an_unknown_period_is_an_error_and_shows_this_quarter() -> None:
    form, period = period_form({"period": "ever"}, today=TODAY)
    assert period == named_period("this_quarter", today=TODAY)
    assert form.errors["period"]
