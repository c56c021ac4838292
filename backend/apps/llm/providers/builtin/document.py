"""From entries to a document: what belongs together, what is said twice, and what comes first."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from apps.llm.providers.builtin.sentences import (
    figures,
    find_outcome,
    join_statement,
    resemblance,
    shorten,
    tidy,
    words,
)
from apps.llm.text import clean_line

# From here on two titles are taken for the same thing said twice (shared words of all words).
SAME_TITLE: Final = 0.75

# Lengths in bytes that are tried in turn until the document fits; then the weakest statements go.
TEXT_LIMITS: Final = (480, 320, 240, 180, 120)
HEADING_LIMIT: Final = 110


@dataclass(frozen=True, slots=True)
class Statement:
    """What one entry says, with all that decides its place."""

    text: str
    entry_ids: tuple[str, ...]
    heading: str
    month: str
    title_words: frozenset[str]
    detail_words: frozenset[str]
    figures: frozenset[str]
    strength: tuple[int, Decimal, str]

    def repeats(self, stronger: "Statement") -> bool:
        """Whether the stronger statement already tells this one, with every figure of it."""
        is_same = self.text.casefold() == stronger.text.casefold()
        is_alike = resemblance(self.title_words, stronger.title_words) >= SAME_TITLE
        adds_nothing = not self.detail_words - stronger.detail_words - stronger.title_words
        return is_same or (is_alike and adds_nothing and self.figures <= stronger.figures)


@dataclass(frozen=True, slots=True)
class Group:
    """Statements under one heading, strongest first. `month` is empty unless only the time holds them together."""

    heading: str
    month: str
    statements: tuple[Statement, ...]


def write_document(entries: Sequence[Mapping[str, Any]], *, max_bytes: int) -> str:
    """The answer's JSON, at most `max_bytes` long; an empty string when not even one statement fits."""
    statements = _merge(sorted((_state(entry) for entry in entries), key=lambda one: one.strength, reverse=True))
    for limit in TEXT_LIMITS:
        content = _dump(_group(statements), text_limit=limit)
        if len(content.encode()) <= max_bytes:
            return content
    while statements:
        statements = statements[:-1]
        content = _dump(_group(statements), text_limit=TEXT_LIMITS[-1])
        if statements and len(content.encode()) <= max_bytes:
            return content
    return ""


def _state(entry: Mapping[str, Any]) -> Statement:
    title, impact, body = (str(entry.get(name) or "") for name in ("title", "impact", "body"))
    detail = impact.strip() or find_outcome(body)
    day = str(entry.get("occurred_on") or "")
    heading = _heading(entry)
    return Statement(
        text=join_statement(title, detail) or "Untitled.",
        entry_ids=(str(entry["id"]),),
        heading=heading or _month_name(day),
        month="" if heading else day[:7],
        title_words=words(title),
        detail_words=words(detail),
        figures=figures(f"{title} {detail}"),
        strength=(_tier(impact=impact, detail=detail), _hours(entry), day),
    )


def _heading(entry: Mapping[str, Any]) -> str:
    project, employer = (clean_line(str(entry.get(name) or "")) for name in ("project", "employer"))
    if project and employer:
        return f"{project} ({employer})"
    if project or employer:
        return project or employer
    tags = [clean_line(str(tag)) for tag in entry.get("tags") or []]
    return next((tidy(tag).rstrip(".") for tag in tags if tag), "")


def _month_name(day: str) -> str:
    try:
        return date.fromisoformat(day).strftime("%B %Y")
    except ValueError:
        return "Undated"


def _tier(*, impact: str, detail: str) -> int:
    """Results with figures before results without; a result found in the body counts for less than a stated impact."""
    if impact.strip():
        return 4 if figures(impact) else 3
    if detail:
        return 2 if figures(detail) else 1
    return 0


def _hours(entry: Mapping[str, Any]) -> Decimal:
    try:
        hours = Decimal(str(entry.get("hours") or 0))
    except InvalidOperation:
        return Decimal(0)
    return hours if hours.is_finite() else Decimal(0)


def _merge(strongest_first: Sequence[Statement]) -> list[Statement]:
    """Lets a statement that repeats a stronger one of its group only add its entry to it."""
    kept: list[Statement] = []
    for statement in strongest_first:
        for place, stronger in enumerate(kept):
            if stronger.heading == statement.heading and statement.repeats(stronger):
                kept[place] = _cite(stronger, statement.entry_ids)
                break
        else:
            kept.append(statement)
    return kept


def _cite(statement: Statement, entry_ids: tuple[str, ...]) -> Statement:
    return Statement(
        text=statement.text,
        entry_ids=statement.entry_ids + entry_ids,
        heading=statement.heading,
        month=statement.month,
        title_words=statement.title_words,
        detail_words=statement.detail_words,
        figures=statement.figures,
        strength=statement.strength,
    )


def _group(strongest_first: Sequence[Statement]) -> list[Group]:
    """Named groups in the order of their best statement, then those that only a month holds together, by time."""
    gathered: dict[str, list[Statement]] = {}
    for statement in strongest_first:
        gathered.setdefault(statement.heading, []).append(statement)
    groups = [Group(heading, found[0].month, tuple(found)) for heading, found in gathered.items()]
    return sorted(groups, key=lambda group: group.month)


def _dump(groups: Sequence[Group], *, text_limit: int) -> str:
    sections = [
        {
            "heading": shorten(group.heading, HEADING_LIMIT),
            "bullets": [
                {"text": shorten(statement.text, text_limit), "entry_ids": list(statement.entry_ids)}
                for statement in group.statements
            ],
        }
        for group in groups
    ]
    return json.dumps({"sections": sections}, ensure_ascii=False, separators=(",", ":"))
