"""What a writer says is checked before it is believed."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.ids import uuid7
from apps.reporting.services import parse_answer
from apps.reporting.types import AnswerMalformed, Document, Section

KNOWN = [uuid7(), uuid7()]


def answer(text: Any = "Cut the run.", heading: Any = "Billing", entry_ids: Any = None) -> dict[str, Any]:
    cited = [str(KNOWN[0])] if entry_ids is None else entry_ids
    return {"sections": [{"heading": heading, "bullets": [{"text": text, "entry_ids": cited}]}]}


def parse(value: Any) -> list[Section]:
    content = value if isinstance(value, str) else json.dumps(value)
    return parse_answer(content=content, entry_ids=KNOWN)


def test_an_answer_of_the_agreed_form_becomes_sections() -> None:
    [section] = parse(answer())
    assert (section.heading, section.bullets[0].text, section.bullets[0].entry_ids) == (
        "Billing",
        "Cut the run.",
        (KNOWN[0],),
    )


def test_fields_that_nobody_asked_for_are_left_out() -> None:
    [section] = parse(answer() | {"approved": True, "call": "https://evil.example"})
    assert set(section.to_json()) == {"heading", "bullets"}


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "  ```\n{}```\n"])
def test_a_fence_around_the_answer_is_taken_off(fence: str) -> None:
    assert parse(fence.replace("{}", json.dumps(answer())))


def test_an_entry_cited_twice_is_cited_once() -> None:
    [section] = parse(answer(entry_ids=[str(KNOWN[0]), str(KNOWN[0]).upper()]))
    assert section.bullets[0].entry_ids == (KNOWN[0],)


def test_text_becomes_one_line_without_control_characters_or_direction_marks() -> None:
    [section] = parse(answer(text="Cut\n\x00\u202ethe \ud800 run\x07."))
    assert section.bullets[0].text == "Cut the run."


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Here is your document!",
        "[" * 100_000,
        "null",
        "[]",
        "{}",
        {"sections": []},
        {"sections": {}},
        {"sections": ["text"]},
        {"sections": [{"heading": "A", "bullets": []}]},
        {"sections": [{"heading": "A", "bullets": [None]}]},
        {"sections": [answer()["sections"][0]] * 61},
        answer(text=""),
        answer(text="\x00"),
        answer(text=7),
        answer(text="x" * 601),
        answer(heading=None),
        answer(heading="x" * 121),
        answer(entry_ids=[]),
        answer(entry_ids="all"),
        answer(entry_ids=["one"]),
        answer(entry_ids=[7]),
        answer(entry_ids=[str(uuid7())]),
        answer(entry_ids=[str(KNOWN[0])] * 3),
        '{"sections": ' + "1" * 200_001 + "}",
    ],
)
def test_anything_else_is_malformed(value: Any) -> None:
    with pytest.raises(AnswerMalformed):
        parse(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["sections", "heading", "bullets", "text", "entry_ids"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(json_values)
def test_no_answer_whatever_brings_more_than_malformed(value: Any) -> None:
    try:
        sections = parse({"sections": [value]})
    except AnswerMalformed:
        return
    assert all(bullet.entry_ids for section in sections for bullet in section.bullets)


def test_a_document_reads_back_from_its_json() -> None:
    document = Document("Title", "Subtitle", tuple(parse(answer())))
    assert Document.from_json(json.loads(json.dumps(document.to_json()))) == document
