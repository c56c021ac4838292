"""The quick-add line: one line of free text that carries a whole entry.

`Cut invoice run from 40 to 6 min @acme /billing #finance +python !2h => month end a day earlier yesterday`

    @employer   /project   #tag   +skill   !2h !90m !1h30   on:2026-11-20   a last word "yesterday" or "today"
    => what it was good for (else figures such as "from 40 to 6 min" or "by 30 %" in the text are taken)

Names with spaces stand in double quotes: @"Acme Corp". Whatever is not understood stays in the title, so that nothing
that a person wrote is lost.
"""

import re
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from apps.worklog import types
from apps.worklog.services.drafts import find_name_problem
from apps.worklog.types import QuickLine, fold_name, squeeze

_MARKER: Final = re.compile(
    r'(?<!\S)(?P<mark>[@/#+!]|on:)(?:"(?P<quoted>[^"\n]{1,200})"(?!\S)|(?P<bare>[^\s"]\S*))', re.IGNORECASE
)
_TRAILING_STOPS: Final = ",.;:!?"
_HOURS: Final = re.compile(r"([0-9]{1,4}(?:[.,][0-9]{1,2})?)(?:h|hrs?|hours?)?", re.IGNORECASE)
_MINUTES: Final = re.compile(r"([0-9]{1,5})(?:m|mins?|minutes?)", re.IGNORECASE)
_HOURS_AND_MINUTES: Final = re.compile(r"([0-9]{1,4})h([0-9]{1,2})m?", re.IGNORECASE)
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LAST_WORD_DAY: Final = re.compile(r"(?<=\S) (yesterday|today)[.!]?$", re.IGNORECASE)
_OUTCOME: Final = " => "
_NUMBER: Final = r"[$€£]?[0-9][0-9.,]{0,15}[0-9]?"
# A word after the number is its unit unless the sentence merely goes on.
_UNIT: Final = r"(?:%|(?!(?:a|an|and|at|by|for|from|in|of|on|or|per|the|to|while|with)\b)[^\W\d_]{1,20})"
_FIGURES: Final = re.compile(rf"\bfrom {_NUMBER} ?{_UNIT}? to {_NUMBER} ?{_UNIT}|\bby {_NUMBER} ?%", re.IGNORECASE)
_DAYS_AGO: Final = {"today": 0, "yesterday": 1}


class _Reader:
    """Collects what the markers of one line say; each `read` tells whether it understood its value."""

    def __init__(self, *, today: date) -> None:
        self.today = today
        self.day: date | None = None
        self.employer = ""
        self.project = ""
        self.hours: Decimal | None = None
        self.tags: dict[str, str] = {}
        self.skills: dict[str, str] = {}

    def take(self, match: re.Match[str]) -> str:
        """What stays in the text in place of a marker: nothing when it was understood."""
        value = squeeze(match["quoted"] or (match["bare"] or "").rstrip(_TRAILING_STOPS))
        return "" if value and self._read(match["mark"].lower(), value) else match[0]

    def _read(self, mark: str, value: str) -> bool:
        if mark == "!":
            return self._read_hours(value)
        if mark == "on:":
            return self._read_day(value)
        if find_name_problem(value) or not any(char.isalnum() for char in value):
            return False
        if mark == "@":
            return self._read_employer(value)
        if mark == "/":
            return self._read_project(value)
        # "#123" names an issue and "+30%" a figure: both belong to the text.
        if mark == "#":
            return any(char.isalpha() for char in value) and self._read_word(self.tags, value)
        return value[0].isalpha() and self._read_word(self.skills, value)

    def _read_employer(self, value: str) -> bool:
        if self.employer:
            return False
        self.employer = value
        return True

    def _read_project(self, value: str) -> bool:
        # With another slash it is a path: /usr/local.
        if self.project or "/" in value:
            return False
        self.project = value
        return True

    @staticmethod
    def _read_word(words: dict[str, str], value: str) -> bool:
        key = fold_name(value)
        if key not in words and len(words) == types.TAGS_MAX:
            return False
        words.setdefault(key, value)
        return True

    def _read_hours(self, value: str) -> bool:
        hours = parse_hours(value)
        if self.hours is not None or hours is None:
            return False
        self.hours = hours
        return True

    def _read_day(self, value: str) -> bool:
        day = _parse_day(value, today=self.today)
        if self.day is not None or day is None:
            return False
        self.day = day
        return True


def parse_hours(text: str) -> Decimal | None:
    """Hours from 2, 2h, 1.5h, 90m or 1h30, or None when the text is no such thing or out of range."""
    if match := _HOURS_AND_MINUTES.fullmatch(text):
        hours = Decimal(match[1]) + Decimal(match[2]) / 60
    elif match := _MINUTES.fullmatch(text):
        hours = Decimal(match[1]) / 60
    elif match := _HOURS.fullmatch(text):
        hours = Decimal(match[1].replace(",", "."))
    else:
        return None
    return hours.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP) if hours <= types.HOURS_MAX else None


def _parse_day(text: str, *, today: date) -> date | None:
    if (days := _DAYS_AGO.get(text.lower())) is not None:
        return today - timedelta(days=days)
    if not _ISO_DAY.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if types.FIRST_DAY <= day <= types.LAST_DAY else None


def _split_outcome(text: str) -> tuple[str, str]:
    """What was done, and what it was good for."""
    title, _, outcome = text.partition(_OUTCOME)
    if outcome.strip() and title.strip():
        return title.strip(), outcome.strip()
    figures = _FIGURES.search(text)
    return text, figures[0] if figures else ""


def parse_quick_line(*, line: str, today: date) -> QuickLine:
    """Reads a line; never fails. `today` is the person's day; the title may come out empty or too long to save."""
    reader = _Reader(today=today)
    text = squeeze(_MARKER.sub(reader.take, line))
    if reader.day is None and (match := _LAST_WORD_DAY.search(text)):
        reader.day = _parse_day(match[1], today=today)
        text = text[: match.start()]
    title, impact = _split_outcome(text)
    return QuickLine(
        title=title,
        occurred_on=reader.day or today,
        employer=reader.employer,
        project=reader.project,
        tags=tuple(reader.tags.values()),
        skills=tuple(reader.skills.values()),
        hours=reader.hours,
        impact=impact,
    )
