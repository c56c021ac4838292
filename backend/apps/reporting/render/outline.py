"""What an export says, in which order, before it takes a form. Forms add marks, never words."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.text import slugify

from apps.llm.text import clean_line
from apps.reporting.dates import format_day
from apps.reporting.types import Document, ReportNotReady, ReportView
from apps.worklog.types import FrozenEntry

APPENDIX_HEADING = "Entries"


@dataclass(frozen=True, slots=True)
class Claim:
    """A bullet, and the numbers of the entries in the appendix that it rests on."""

    text: str
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Claims under a heading."""

    heading: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """An entry in the appendix. `place` is its employer and project, `impact` the stated result; both may be empty."""

    number: int
    day: str
    title: str
    place: str
    impact: str


@dataclass(frozen=True, slots=True)
class Outline:
    """A whole export."""

    title: str
    subtitle: str
    parts: tuple[Part, ...]
    sources: tuple[Source, ...]


def get_document(report: ReportView) -> Document:
    """The report's document; raises ReportNotReady while there is none to show."""
    if report.document is None or report.finished_at is None:
        raise ReportNotReady
    return report.document


def make_outline(report: ReportView) -> Outline:
    """The outline of a report; the appendix lists every entry, cited or not. Raises ReportNotReady."""
    document = get_document(report)
    numbers = {entry.id: number for number, entry in enumerate(report.entries, start=1)}
    return Outline(
        title=document.title,
        subtitle=document.subtitle,
        parts=tuple(
            Part(
                heading=section.heading,
                claims=tuple(Claim(bullet.text, _number(bullet.entry_ids, numbers)) for bullet in section.bullets),
            )
            for section in document.sections
        ),
        sources=tuple(_source(number, entry) for number, entry in enumerate(report.entries, start=1)),
    )


def make_file_name(report: ReportView, extension: str) -> str:
    """A file name of plain letters, digits and hyphens: brag-document-2026-07-01-to-2026-09-30.pdf."""
    stem = slugify(report.title)[:60].strip("-") or "report"
    return f"{stem}-{report.period_from.isoformat()}-to-{report.period_to.isoformat()}.{extension}"


def _number(entry_ids: tuple[UUID, ...], numbers: dict[UUID, int]) -> tuple[int, ...]:
    return tuple(sorted(numbers[entry_id] for entry_id in entry_ids))


def _source(number: int, entry: FrozenEntry) -> Source:
    place = ", ".join(name for name in (clean_line(entry.employer), clean_line(entry.project)) if name)
    return Source(
        number=number,
        day=format_day(entry.occurred_on),
        title=clean_line(entry.title),
        place=place,
        impact=clean_line(entry.impact),
    )
