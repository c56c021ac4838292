"""The built-in writer: what it makes of entries, and what it never does."""

import json
import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.llm.providers.builtin.document import write_document
from apps.llm.providers.builtin.provider import make_provider
from apps.llm.providers.builtin.sentences import find_outcome, shorten, tidy
from apps.llm.tokens import count_pieces
from apps.llm.types import ChatMessage, ModelRefused
from apps.reporting.services import parse_answer
from tests.llm.samples import entry, make_request, question

WORD = re.compile(r"[^\W_]+")


def write(*entries: dict[str, Any], max_bytes: int = 100_000) -> list[dict[str, Any]]:
    sections: list[dict[str, Any]] = json.loads(write_document(entries, max_bytes=max_bytes))["sections"]
    return sections


def texts(*entries: dict[str, Any], max_bytes: int = 100_000) -> list[str]:
    return [bullet["text"] for section in write(*entries, max_bytes=max_bytes) for bullet in section["bullets"]]


def headings(*entries: dict[str, Any]) -> list[str]:
    return [section["heading"] for section in write(*entries)]


def test_a_bullet_is_the_title_and_the_impact_as_sentences() -> None:
    told = entry("cut invoice run from 40 to 6 min", impact="saves finance 3 hours a week")
    assert texts(told) == ["Cut invoice run from 40 to 6 min. Saves finance 3 hours a week."]


def test_an_entry_without_impact_tells_the_outcome_in_its_body() -> None:
    body = "We tried two engines.\n\n* Queries now take **40 ms** instead of 900 ms. It was fun.\n\n```\nx = 1\n```"
    assert texts(entry("Moved search", body=body)) == ["Moved search. Queries now take 40 ms instead of 900 ms."]


def test_an_outcome_with_a_figure_is_told_before_one_without() -> None:
    assert find_outcome("Deploys got faster. Builds were cut to 4 min.") == "Builds were cut to 4 min."


def test_a_body_without_an_outcome_adds_nothing() -> None:
    assert texts(entry("Wrote the guide", body="It has ten chapters.")) == ["Wrote the guide."]


def test_an_impact_that_only_repeats_the_title_is_not_said_twice() -> None:
    assert texts(entry("Cut the run to 6 min", impact="Cut the run to 6 min")) == ["Cut the run to 6 min."]


def test_an_impact_that_holds_the_whole_title_stands_for_it() -> None:
    assert texts(entry("Cut the run", impact="Cut the run to 6 min")) == ["Cut the run to 6 min."]


def test_entries_are_grouped_by_project_then_employer_then_tag_then_month() -> None:
    found = headings(
        entry("a", project="Billing", employer="Acme", impact="saved 4 h"),
        entry("b", project="Website", impact="saved 3"),
        entry("c", employer="Globex", impact="fewer calls"),
        entry("d", tags=["mobile"], hours="1.00"),
        entry("e", occurred_on="2026-11-20"),
        entry("f", occurred_on="2026-10-02", impact="won 9 deals"),
        entry("g", occurred_on="some day"),
    )
    assert found[:4] == ["Billing (Acme)", "Website", "Globex", "Mobile"]
    assert found[4:6] == ["October 2026", "November 2026"]
    assert found[6] == "Undated"


def test_the_strongest_come_first_figures_before_words_before_hours() -> None:
    weak, long, worded, counted = (
        entry("Weak"),
        entry("Long", hours="40.00"),
        entry("Worded", impact="Calmer nights"),
        entry("Counted", impact="Saved 3 hours"),
    )
    assert [text.split()[0] for text in texts(weak, long, worded, counted)] == [
        "Counted.",
        "Worded.",
        "Long.",
        "Weak.",
    ]


@pytest.mark.parametrize("hours", ["many", "NaN", "Infinity"])
def test_hours_that_are_no_number_count_for_nothing(hours: str) -> None:
    assert texts(entry("Odd", hours=hours), entry("Real", hours="1.00"))[0] == "Real."


def test_what_is_said_twice_becomes_one_bullet_that_cites_both() -> None:
    first, second = entry("Ran the weekly report"), entry("ran the weekly report!", impact="Saved 2 hours")
    [section] = write(first, second)
    [bullet] = section["bullets"]
    assert set(bullet["entry_ids"]) == {first["id"], second["id"]}
    assert "Saved 2 hours." in bullet["text"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (entry("Released version 1.2 of the client"), entry("Released version 1.3 of the client")),
        (entry("Ran the report", impact="Saved 2 hours"), entry("Ran the report", impact="Saved 5 hours")),
        (entry("Ran the report", project="A"), entry("Ran the report", project="B")),
        (entry("Ran the report", impact="Calmer nights"), entry("Ran the report", impact="Happier clients")),
    ],
)
def test_different_figures_results_or_projects_stay_apart(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert len(texts(first, second)) == 2


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("- shipped it", "Shipped it."),
        ("iOS release", "iOS release."),
        ('said "done."', 'Said "done."'),
        ("really?", "Really?"),
        ("trailing comma,", "Trailing comma."),
        ("two\n lines\t here", "Two lines here."),
        ("done。", "Done。"),
        ("\x07 \u202e", ""),
    ],
)
def test_a_sentence_is_tidied_without_changing_its_words(text: str, tidied: str) -> None:
    assert tidy(text) == tidied


def test_an_abbreviation_does_not_end_a_sentence() -> None:
    assert find_outcome("We cut noise, e.g. Alerts at night. Then we slept.") == "We cut noise, e.g. Alerts at night."


def test_a_long_text_is_cut_between_words_within_its_bytes() -> None:
    assert shorten("eins zwei drei", 11) == "eins…"
    assert shorten("ü" * 20, 13) == "ü" * 5 + "…"


def test_the_answer_never_exceeds_the_output_limit() -> None:
    many = [entry(f"Number {number} " + "word " * 60, project=f"P{number}") for number in range(40)]
    for limit in (20_000, 9_000, 2_000, 300):
        content = write_document(many, max_bytes=limit)
        assert 0 < len(content.encode()) <= limit


def test_when_nothing_fits_the_answer_ends_at_the_length_limit() -> None:
    completion = make_provider().complete(make_request(entry(), max_output_tokens=10))
    assert (completion.content, completion.finish_reason) == ("", "length")


def test_the_same_question_gives_the_same_answer_and_cost() -> None:
    request = make_request(entry("A", project="X"), entry("B", impact="Saved 4"))
    first, second = make_provider().complete(request), make_provider().complete(request)
    assert (first.content, first.usage) == (second.content, second.usage)
    assert first.usage is not None
    assert first.usage.output == count_pieces(first.content)


@pytest.mark.parametrize(
    "messages",
    [
        (ChatMessage("system", "no question"),),
        (ChatMessage("user", "not JSON"),),
        (ChatMessage("user", "[]"),),
        (ChatMessage("user", '{"task": "brag_document", "entries": [1]}'),),
        question(entry(), task="poem"),
    ],
)
def test_a_question_that_it_does_not_know_is_declined_without_cost(messages: tuple[ChatMessage, ...]) -> None:
    with pytest.raises(ModelRefused) as refusal:
        make_provider().complete(make_request(messages=messages))
    assert (refusal.value.reason, refusal.value.was_served) == ("unsupported_task", False)


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
prose = st.text(st.characters(categories=["L", "N", "Zs"], include_characters=".!?%$@#-'"), max_size=60)
told_entries = st.lists(
    st.builds(
        entry,
        title=prose.filter(str.strip),
        body=prose,
        impact=prose,
        project=names,
        employer=names,
        tags=st.lists(names, max_size=2),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(told_entries)
def test_every_word_comes_from_the_entries_and_every_entry_is_cited_once(told: list[dict[str, Any]]) -> None:
    sections = write(*told)
    said = " ".join(bullet["text"] for section in sections for bullet in section["bullets"])
    known = " ".join(f"{one['title']} {one['impact']} {one['body']}" for one in told)
    assert set(WORD.findall(said.casefold())) <= set(WORD.findall(known.casefold()))
    cited = [entry_id for section in sections for bullet in section["bullets"] for entry_id in bullet["entry_ids"]]
    assert sorted(cited) == sorted(one["id"] for one in told)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.builds(entry, title=names, body=names, impact=names, project=names), min_size=1, max_size=5))
def test_whatever_the_entries_hold_the_answer_has_the_agreed_form(told: list[dict[str, Any]]) -> None:
    content = write_document(told, max_bytes=100_000)
    assert parse_answer(content=content, entry_ids=[UUID(one["id"]) for one in told])
