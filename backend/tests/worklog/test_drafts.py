"""What an entry may hold."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.errors import Invalid
from apps.worklog import types
from apps.worklog.services.drafts import check_draft
from apps.worklog.types import EntryDraft, fold_name, squeeze

TODAY = date(2026, 11, 20)


def check(**fields: Any) -> EntryDraft:
    return check_draft(draft=EntryDraft(**{"title": "Did it", **fields}), today=TODAY)


def problems_of(**fields: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as caught:
        check(**fields)
    return caught.value.fields


def test_titles_and_names_become_one_line_with_single_spaces() -> None:
    draft = check(title="  Cut\n the   run ", employer=" Acme\tCorp ", role=" Lead ", tags=(" two  words ",))

    assert (draft.title, draft.employer, draft.role, draft.tags) == ("Cut the run", "Acme Corp", "Lead", ("two words",))


def test_a_body_keeps_its_lines() -> None:
    assert check(body="\n# How\r\n\tso\r\n").body == "# How\n\tso"


def test_tags_are_kept_once_whatever_their_spelling() -> None:
    assert check(tags=("Python", "python", " PYTHON ", "", "ops")).tags == ("ops", "Python")


def test_the_day_is_today_unless_it_is_given() -> None:
    assert check().occurred_on == TODAY
    assert check(occurred_on=date(2020, 2, 29)).occurred_on == date(2020, 2, 29)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", " \n "),
        ("title", "\u200b\u2060"),
        ("title", "x" * (types.TITLE_MAX + 1)),
        ("title", "nul \x00 byte"),
        ("body", "x" * (types.BODY_MAX + 1)),
        ("body", "half of a pair \ud800"),
        ("role", "x" * (types.ROLE_MAX + 1)),
        ("impact", "x" * (types.IMPACT_MAX + 1)),
        ("impact_metric", "x" * (types.METRIC_MAX + 1)),
        ("impact_unit", "x" * (types.UNIT_MAX + 1)),
        ("employer", "x" * (types.NAME_MAX + 1)),
        ("employer", "\u200b"),
        ("project", "bell \x07"),
        ("tags", ("x" * (types.NAME_MAX + 1),)),
        ("tags", tuple(f"t{number}" for number in range(types.TAGS_MAX + 1))),
        ("tags", ("\ufdfa" * types.NAME_MAX,)),
        ("hours", Decimal("-0.01")),
        ("hours", Decimal("1000.01")),
        ("hours", Decimal("0.001")),
        ("hours", Decimal("NaN")),
        ("hours", Decimal("1e9")),
        ("impact_before", Decimal("Infinity")),
        ("impact_after", Decimal("1e14")),
        ("impact_after", Decimal("0.0000001")),
        ("occurred_on", date(1899, 12, 31)),
        ("occurred_on", date(2200, 1, 1)),
    ],
)
def test_names_the_field_that_is_wrong(field: str, value: Any) -> None:
    assert list(problems_of(**{field: value})) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "x" * types.TITLE_MAX),
        ("body", "x" * types.BODY_MAX),
        ("employer", "x" * types.NAME_MAX),
        ("tags", tuple(f"t{number:02}" for number in range(types.TAGS_MAX))),
        ("hours", Decimal(0)),
        ("hours", types.HOURS_MAX),
        ("impact_before", Decimal("-99999999999999.999999")),
        ("occurred_on", types.FIRST_DAY),
        ("occurred_on", types.LAST_DAY),
    ],
)
def test_allows_every_limit_itself(field: str, value: Any) -> None:
    assert getattr(check(**{field: value}), field) == value


def test_says_everything_that_is_wrong_at_once() -> None:
    assert set(problems_of(title="", hours=Decimal(-1), employer="\x07")) == {"title", "hours", "employer"}


@given(st.text(max_size=40))
def test_two_spellings_of_a_name_share_one_key(name: str) -> None:
    assert fold_name(name) == fold_name(squeeze(name)) == fold_name(f"  {name} ")


@given(st.builds(EntryDraft, title=st.text(max_size=30), body=st.text(max_size=30), tags=st.tuples(st.text())))
def test_a_checked_draft_stays_as_it_is_when_checked_again(draft: EntryDraft) -> None:
    try:
        checked = check_draft(draft=draft, today=TODAY)
    except Invalid:
        return
    assert check_draft(draft=checked, today=TODAY) == checked
