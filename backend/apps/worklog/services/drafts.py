"""What an entry may hold: every text is cleaned, and what the database would refuse is refused in plain words."""

import unicodedata
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from apps.common.errors import Invalid
from apps.worklog import types
from apps.worklog.types import EntryDraft, fold_name, squeeze

_KEPT_CONTROLS: Final = "\n\t"
_SINGLE_LINES: Final = {
    "title": types.TITLE_MAX,
    "role": types.ROLE_MAX,
    "impact_metric": types.METRIC_MAX,
    "impact_unit": types.UNIT_MAX,
}
_MANY_LINES: Final = {"body": types.BODY_MAX, "impact": types.IMPACT_MAX}


class _Problems:
    """Everything wrong with a draft, so that a person hears it all at once."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = {}

    def add(self, field: str, text: str) -> None:
        self.fields.setdefault(field, []).append(text)

    def raise_if_any(self) -> None:
        if self.fields:
            raise Invalid(fields=self.fields)


def _can_be_kept(text: str) -> bool:
    return not any(unicodedata.category(char) in {"Cc", "Cs"} and char not in _KEPT_CONTROLS for char in text)


def _is_blank(text: str) -> bool:
    """Whether nothing in the text can be seen: only spaces, controls and invisible characters."""
    return all(unicodedata.category(char)[0] in "CZ" for char in text)


def _find_text_problem(text: str, *, limit: int) -> str | None:
    if not _can_be_kept(text):
        return "This holds control characters that cannot be kept."
    if len(text) > limit:
        return f"Use at most {limit:,} characters; these are {len(text):,}."
    return None


def find_name_problem(name: str) -> str | None:
    """Why a squeezed name cannot be kept, in words for people, or None."""
    if _is_blank(name):
        return "A name needs at least one visible character."
    if len(fold_name(name)) > types.NAME_KEY_MAX:
        return "This name is too long."
    return _find_text_problem(name, limit=types.NAME_MAX)


def _find_decimal_problem(value: Decimal, *, digits: int, places: int) -> str | None:
    if not value.is_finite() or abs(value) >= 10 ** (digits - places):
        return "This number is too large."
    if round(value, places) != value:
        return f"Use at most {places} decimals."
    return None


def _clean_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _clean_texts(draft: EntryDraft, problems: _Problems) -> dict[str, str]:
    cleaned = {name: squeeze(getattr(draft, name)) for name in _SINGLE_LINES}
    cleaned |= {name: _clean_lines(getattr(draft, name)) for name in _MANY_LINES}
    for name, limit in (_SINGLE_LINES | _MANY_LINES).items():
        if problem := _find_text_problem(cleaned[name], limit=limit):
            problems.add(name, problem)
    if _is_blank(cleaned["title"]):
        problems.add("title", "Say in a few words what you did.")
    return cleaned


def _clean_names(draft: EntryDraft, problems: _Problems) -> dict[str, str]:
    cleaned = {"employer": squeeze(draft.employer), "project": squeeze(draft.project)}
    for name, value in cleaned.items():
        if value and (problem := find_name_problem(value)):
            problems.add(name, problem)
    return cleaned


def _clean_tags(draft: EntryDraft, problems: _Problems) -> tuple[str, ...]:
    """The tags by their keys, each once: the first spelling stays."""
    by_key: dict[str, str] = {}
    for tag in map(squeeze, draft.tags):
        if not tag:
            continue
        if problem := find_name_problem(tag):
            problems.add("tags", problem)
        by_key.setdefault(fold_name(tag), tag)
    if len(by_key) > types.TAGS_MAX:
        problems.add("tags", f"Use at most {types.TAGS_MAX} tags.")
    return tuple(by_key[key] for key in sorted(by_key))


def _check_numbers(draft: EntryDraft, problems: _Problems) -> None:
    for name in ("impact_before", "impact_after"):
        value: Decimal | None = getattr(draft, name)
        if value is None:
            continue
        if problem := _find_decimal_problem(value, digits=types.FIGURE_DIGITS, places=types.FIGURE_PLACES):
            problems.add(name, problem)
    if draft.hours is None:
        return
    if problem := _find_decimal_problem(draft.hours, digits=types.HOURS_DIGITS, places=types.HOURS_PLACES):
        problems.add("hours", problem)
    elif not 0 <= draft.hours <= types.HOURS_MAX:
        problems.add("hours", f"Use between 0 and {types.HOURS_MAX:,} hours.")


def check_draft(*, draft: EntryDraft, today: date) -> EntryDraft:
    """The draft cleaned, with its day filled in; raises Invalid with a message for every field that is wrong."""
    problems = _Problems()
    texts: dict[str, Any] = _clean_texts(draft, problems) | _clean_names(draft, problems)
    tags = _clean_tags(draft, problems)
    _check_numbers(draft, problems)
    day = draft.occurred_on or today
    if not types.FIRST_DAY <= day <= types.LAST_DAY:
        problems.add("occurred_on", f"Use a day between {types.FIRST_DAY} and {types.LAST_DAY}.")
    problems.raise_if_any()
    return replace(draft, **texts, tags=tags, occurred_on=day)
