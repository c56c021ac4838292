"""Sentences from what people jot down: tidied and chosen, never reworded."""

import re
from collections.abc import Iterator
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from apps.llm.text import clean_line

_MARKDOWN: Final = MarkdownIt("commonmark")
_WORD: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_FIGURE: Final = re.compile(r"\d+(?:[.,]\d+)*")
_LIST_MARK: Final = re.compile(r"^(?:[-*+•\u2013—>]\s+)+")
_SENTENCE_END: Final = re.compile(
    r"(?<=[.!?…])[\"'\u201d\u2019)\]]*\s+(?=[^\W_a-z]|[\"'\u201c\u2018(\[])|(?<=[。\uff01\uff1f])\s*"
)
_ABBREVIATION: Final = re.compile(r"\b(?:e\.g|i\.e|etc|approx|vs|ca|incl|nr|dr|mr|mrs|st|inc|ltd)\.$", re.IGNORECASE)
_OUTCOME: Final = re.compile(
    r"\b(?:cut|cuts|sav\w+|reduc\w+|increas\w+|improv\w+|grew|grow\w*|doubled|halved|tripled|faster|fewer|prevent\w+"
    r"|avoid\w+|enabl\w+|unblock\w+|deliver\w+|launch\w+|shipp\w+|resolv\w+|fixed|won|earned|now|so that|result\w*"
    r"|therefore|instead of|no longer|on time)\b",
    re.IGNORECASE,
)
_ENDINGS: Final = (".", "!", "?", "…", ":", "。", "\uff01", "\uff1f")
_CLOSERS: Final = "\"'\u201d\u2019)]»"


def words(text: str) -> frozenset[str]:
    """The words of a text, without regard to case."""
    return frozenset(word.casefold() for word in _WORD.findall(text))


def figures(text: str) -> frozenset[str]:
    """The numbers of a text, as written."""
    return frozenset(_FIGURE.findall(text))


def resemblance(first: frozenset[str], second: frozenset[str]) -> float:
    """How many of all the words the two share: 0 to 1."""
    union = first | second
    return len(first & second) / len(union) if union else 0.0


def tidy(text: str) -> str:
    """One line, a capital at the start and a full stop at the end. The words stay as they are."""
    line = _LIST_MARK.sub("", clean_line(text))
    if not line:
        return ""
    first_word = line.split(" ", 1)[0]
    capital = line[0].upper()
    # A name such as iOS or macOS keeps its own capitals, and a letter whose capital is another letter stays small.
    if first_word.islower() and capital.casefold() == line[0].casefold():
        line = capital + line[1:]
    if not line.rstrip(_CLOSERS).endswith(_ENDINGS):
        line = line.rstrip(" ,;") + "."
    return line


def shorten(text: str, limit: int) -> str:
    """At most `limit` UTF-8 bytes, cut between words, with a mark that something is missing."""
    if len(text.encode()) <= limit:
        return text
    room = max(limit - len("…".encode()), 0)
    cut = text.encode()[:room].decode("utf-8", "ignore")
    at_word = cut.rsplit(" ", 1)[0] if " " in cut else cut
    return at_word.rstrip(" ,;:.") + "…"


def join_statement(title: str, detail: str) -> str:
    """Title and outcome as one or two sentences: what one already says, the other need not repeat."""
    title_words, detail_words = words(title), words(detail)
    if not detail_words - title_words:
        return tidy(title) or tidy(detail)
    if not title_words - detail_words:
        return tidy(detail)
    return f"{tidy(title)} {tidy(detail)}"


def find_outcome(body: str) -> str:
    """The sentence of a Markdown text that tells a result: one with a figure before one with a word of outcome."""
    told = [sentence for sentence in _split(body) if _OUTCOME.search(sentence)]
    with_figures = [sentence for sentence in told if figures(sentence)]
    return (with_figures or told or [""])[0]


def _split(body: str) -> list[str]:
    sentences = []
    for paragraph in _paragraphs(_MARKDOWN.parse(body)):
        pending = ""
        for piece in _SENTENCE_END.split(paragraph):
            pending = f"{pending} {piece}".strip()
            if not _ABBREVIATION.search(pending):
                sentences.append(pending)
                pending = ""
        sentences.append(pending)
    return [sentence for sentence in sentences if sentence]


def _paragraphs(tokens: list[Token]) -> Iterator[str]:
    """The readable text of each block: no code blocks, no HTML, no pictures."""
    for token in tokens:
        if token.type == "inline":
            parts = [
                child.content if child.type in {"text", "code_inline"} else " "
                for child in token.children or []
                if child.type in {"text", "code_inline", "softbreak", "hardbreak"}
            ]
            yield " ".join("".join(parts).split())
