"""Reported usage: which numbers are believed, and how they fall into classes."""

from typing import Any

import pytest

from apps.llm.providers.openai_wire import normalise_usage
from apps.llm.types import CallUsage

CEILING = CallUsage(input=1_000, output=500)


def read(usage: object, *, has_content: bool = True) -> tuple[CallUsage | None, str]:
    return normalise_usage(usage, ceiling=CEILING, has_content=has_content)


def usage(prompt: Any = 100, completion: Any = 50, **details: Any) -> dict[str, Any]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, **details}


def test_plain_usage_is_input_and_output() -> None:
    assert read(usage()) == (CallUsage(input=100, output=50), "")


def test_cached_and_written_tokens_are_taken_out_of_the_input() -> None:
    reported = usage(prompt_tokens_details={"cached_tokens": 60, "cache_write_tokens": 10})
    assert read(reported)[0] == CallUsage(input=30, cached_input=60, cache_write=10, output=50)


def test_reasoning_is_taken_out_of_the_output() -> None:
    reported = usage(total_tokens=150, completion_tokens_details={"reasoning_tokens": 30})
    assert read(reported)[0] == CallUsage(input=100, output=20, reasoning=30)


def test_reasoning_that_was_counted_beside_the_output_stays_beside_it() -> None:
    reported = usage(total_tokens=180, completion_tokens_details={"reasoning_tokens": 30})
    assert read(reported)[0] == CallUsage(input=100, output=50, reasoning=30)


@pytest.mark.failure("M33")
@pytest.mark.parametrize(
    ("reported", "flag"),
    [
        (None, "missing"),
        ("42", "missing"),
        ({}, "missing"),
        (usage(0), "missing"),
        (usage(completion=0), "missing"),
        (usage(-1), "negative"),
        (usage(completion=-1), "negative"),
        (usage("100"), "not_integer"),
        (usage(1.5), "not_integer"),
        (usage(completion=True), "not_integer"),
        (usage(100_001), "absurd"),
        (usage(completion=50_001), "absurd"),
        (usage(prompt_tokens_details={"cached_tokens": 101}), "inconsistent"),
        (usage(completion_tokens_details={"reasoning_tokens": 51}), "inconsistent"),
        (usage(prompt_tokens_details={"cached_tokens": -1}), "negative"),
    ],
)
def test_usage_that_cannot_be_billed_is_named_and_left_out(reported: object, flag: str) -> None:
    assert read(reported) == (None, flag)


def test_details_that_are_none_count_for_nothing() -> None:
    assert read(usage(prompt_tokens_details=None, completion_tokens_details="?"))[1] == ""


def test_an_answer_without_words_may_have_no_output() -> None:
    assert read(usage(completion=0), has_content=False) == (CallUsage(input=100), "")
