"""Which entries stand behind which bullet, numbered in the order in which the document first rests on them."""

from dataclasses import dataclass
from uuid import UUID

from apps.backend.reports import Document, FrozenEntry, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    number: int
    entry: FrozenEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedBullet:
    id: str
    text: str
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedSection:
    heading: str
    bullets: tuple[CitedBullet, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedDocument:
    """`unused` are entries that the report was given and that no bullet rests on."""

    title: str
    subtitle: str
    sections: tuple[CitedSection, ...]
    sources: tuple[Source, ...]
    unused: tuple[FrozenEntry, ...]


def cite(report: Report) -> CitedDocument | None:
    """The report's document with its sources; None while there is no document."""
    if report.document is None:
        return None
    sources = _sources(report.document, entries=report.entries_by_id)
    sections = tuple(
        CitedSection(
            heading=section.heading,
            bullets=tuple(
                CitedBullet(
                    id=bullet.id,
                    text=bullet.text,
                    sources=tuple(sources[entry_id] for entry_id in bullet.entry_ids if entry_id in sources),
                )
                for bullet in section.bullets
            ),
        )
        for section in report.document.sections
    )
    return CitedDocument(
        title=report.title,
        subtitle=report.document.subtitle,
        sections=sections,
        sources=tuple(sources.values()),
        unused=tuple(entry for entry in report.entries if entry.id not in sources),
    )


def _sources(document: Document, *, entries: dict[UUID, FrozenEntry]) -> dict[UUID, Source]:
    cited = (entry_id for section in document.sections for bullet in section.bullets for entry_id in bullet.entry_ids)
    found = dict.fromkeys(entry_id for entry_id in cited if entry_id in entries)
    return {entry_id: Source(number=number, entry=entries[entry_id]) for number, entry_id in enumerate(found, start=1)}
