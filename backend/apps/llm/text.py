"""Text from outside that has to be kept: what PostgreSQL, JSON and one line of a document can hold."""

import unicodedata
from typing import Final

# Marks that turn the direction of what follows: they can make a line read differently from what it says.
_DIRECTION_MARKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def make_storable(text: str) -> str:
    """Drops NUL characters and replaces lone surrogates, neither of which can be stored."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def clean_line(text: str) -> str:
    """One line with single spaces, without control characters, lone surrogates and direction marks."""
    kept = (char for char in " ".join(text.split()) if unicodedata.category(char) not in {"Cc", "Cs"})
    return " ".join("".join(char for char in kept if char not in _DIRECTION_MARKS).split())
