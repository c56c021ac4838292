"""What a line adds to the fields beside it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from apps.backend.worklogs import EntryDraft, ParsedLine
from apps.worklog.lines import understand

TODAY = date(2026, 11, 23)
DRAFT = EntryDraft(title="Wrote the plan", occurred_on=date(2026, 11, 20), employer="Acme", impact="", hours=Decimal(1))
PLAIN = ParsedLine(
    title="Wrote the plan", occurred_on=TODAY, employer="", project="", tags=(), skills=(), hours=None, impact=""
)


def test_a_line_without_marks_leaves_the_fields_alone() -> None:
    found = understand(DRAFT, parsed=PLAIN, today=TODAY)
    assert found.draft == DRAFT
    assert not found.has_marks


def test_a_day_in_the_line_wins_over_the_field() -> None:
    found = understand(DRAFT, parsed=replace(PLAIN, occurred_on=date(2026, 11, 1)), today=TODAY)
    assert found.draft.occurred_on == date(2026, 11, 1)
    assert found.has_marks


def test_an_impact_that_was_typed_is_kept() -> None:
    typed = replace(DRAFT, impact="Out before nine")
    assert understand(typed, parsed=replace(PLAIN, impact="by 30 %"), today=TODAY).draft.impact == "Out before nine"


def test_an_impact_of_the_line_fills_an_empty_field() -> None:
    assert understand(DRAFT, parsed=replace(PLAIN, impact="by 30 %"), today=TODAY).draft.impact == "by 30 %"


def test_skills_become_tags_once() -> None:
    found = understand(replace(DRAFT, tags=("Python",)), parsed=replace(PLAIN, skills=("python", "sql")), today=TODAY)
    assert found.draft.tags == ("Python", "sql")


def test_words_that_were_taken_out_of_the_title_are_worth_a_look() -> None:
    assert understand(DRAFT, parsed=replace(PLAIN, title="Wrote"), today=TODAY).has_marks
