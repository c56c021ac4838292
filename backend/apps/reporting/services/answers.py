"""What a writer says is data: checked against the agreed form before anything else sees it."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from apps.llm.text import clean_line
from apps.reporting.types import AnswerMalformed, Bullet, Section

# Three times what the output limit of a question can bring: also the bound of citations that an export has to set.
ANSWER_MAX: Final = 200_000
SECTIONS_MAX: Final = 60
BULLETS_MAX: Final = 200
HEADING_MAX: Final = 120
TEXT_MAX: Final = 600

# Models without structured output like to wrap their JSON.
_FENCE: Final = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)


def parse_answer(*, content: str, entry_ids: Collection[UUID]) -> list[Section]:
    """The sections of an answer, its bullets not yet numbered. Raises AnswerMalformed for anything but the agreed form.

    Every bullet cites at least one of `entry_ids` and nothing else. Text is one line without control characters.
    """
    if len(content) > ANSWER_MAX:
        raise AnswerMalformed("The writer's answer is too long.")
    fenced = _FENCE.match(content)
    try:
        answer = json.loads(fenced.group(1) if fenced else content)
    except (ValueError, RecursionError) as error:
        raise AnswerMalformed("The writer's answer could not be read.") from error
    sections = _list(answer, "sections", limit=SECTIONS_MAX)
    return [_read_section(section, known=frozenset(entry_ids)) for section in sections]


def _read_section(data: object, *, known: frozenset[UUID]) -> Section:
    bullets = _list(data, "bullets", limit=BULLETS_MAX)
    return Section(
        heading=_line(data, "heading", limit=HEADING_MAX),
        bullets=tuple(_read_bullet(bullet, known=known) for bullet in bullets),
    )


def _read_bullet(data: object, *, known: frozenset[UUID]) -> Bullet:
    cited: list[UUID] = []
    for item in _list(data, "entry_ids", limit=max(len(known), 1)):
        entry_id = _read_id(item)
        if entry_id not in known:
            raise AnswerMalformed("The writer cites an entry that it was not given.")
        if entry_id not in cited:
            cited.append(entry_id)
    return Bullet(id="", text=_line(data, "text", limit=TEXT_MAX), entry_ids=tuple(cited))


def _read_id(item: object) -> UUID:
    try:
        return UUID(item if isinstance(item, str) else "")
    except ValueError as error:
        raise AnswerMalformed("The writer cites an entry that it was not given.") from error


def _mapping(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise AnswerMalformed
    return data


def _list(data: object, name: str, *, limit: int) -> list[object]:
    found = _mapping(data).get(name)
    if not isinstance(found, list) or not 0 < len(found) <= limit:
        raise AnswerMalformed(f"The writer's answer has no usable list of {name}.")
    return found


def _line(data: object, name: str, *, limit: int) -> str:
    found = _mapping(data).get(name)
    line = clean_line(found) if isinstance(found, str) else ""
    if not 0 < len(line) <= limit:
        raise AnswerMalformed(f"The writer's answer has a {name} that is empty or too long.")
    return line
