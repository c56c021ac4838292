"""One line of free text that carries a whole entry: what it adds to the fields beside it."""

from dataclasses import dataclass, replace
from datetime import date

from apps.backend.worklogs import EntryDraft, ParsedLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """The entry as it will be saved. `has_marks`: the line said more than its words, so it is worth a look."""

    draft: EntryDraft
    has_marks: bool


def understand(draft: EntryDraft, *, parsed: ParsedLine, today: date) -> Understanding:
    """`draft` with what its title line says; the line wins over the fields, tags add up.

    The parser answers with today when the line names no day, so today leaves the field's day as it is. Entries have
    no skills of their own: a skill in the line is kept as a tag.
    """
    said_day = parsed.occurred_on if parsed.occurred_on not in (None, today) else None
    merged = replace(
        draft,
        title=parsed.title,
        occurred_on=said_day or draft.occurred_on,
        employer=parsed.employer or draft.employer,
        project=parsed.project or draft.project,
        tags=_union(draft.tags, parsed.tags, parsed.skills),
        hours=draft.hours if parsed.hours is None else parsed.hours,
        impact=draft.impact or parsed.impact,
    )
    return Understanding(draft=merged, has_marks=_has_marks(parsed, line=draft.title, day=said_day))


def _has_marks(parsed: ParsedLine, *, line: str, day: date | None) -> bool:
    said = (parsed.employer, parsed.project, parsed.tags, parsed.skills, parsed.hours is not None, parsed.impact, day)
    return any(said) or " ".join(line.split()) != parsed.title


def _union(*groups: tuple[str, ...]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for group in groups:
        for name in group:
            found.setdefault(name.casefold(), name)
    return tuple(found.values())
