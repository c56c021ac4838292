"""Counting without a tokenizer: what is paid never exceeds what was promised."""

from hypothesis import given
from hypothesis import strategies as st

from apps.llm.services import estimate_ceiling
from apps.llm.tokens import count_pieces, count_tokens
from apps.llm.types import ChatMessage

TEXTS = st.text(max_size=300)


def test_words_numbers_and_marks_are_counted() -> None:
    assert count_pieces("Cut the run from 40 to 6 min.") == 9
    assert count_pieces(" \n\t") == 0


@given(text=TEXTS)
def test_a_text_has_no_more_pieces_than_bytes(text: str) -> None:
    assert count_pieces(text) <= count_tokens(text)


@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
def test_the_ceiling_lies_above_what_the_built_in_writer_counts(texts: list[str]) -> None:
    messages = [ChatMessage("user", text) for text in texts]
    assert sum(count_pieces(text) for text in texts) <= estimate_ceiling(messages=messages, max_output_tokens=1).input
