"""A report as Markdown (CommonMark). Nobody's text can become a mark."""

import re
from collections.abc import Iterator
from typing import Final

from apps.reporting.render.outline import APPENDIX_HEADING, Outline, Source, make_outline
from apps.reporting.types import ReportView

# Marks that mean something anywhere in a line. `~` and `|` do in common extensions.
_INLINE_MARKS: Final = re.compile(r"([\\`*_\[\]<>&#~|])")

# Marks that begin a list, a rule or a heading line when they come first.
_BLOCK_MARK: Final = re.compile(r"^([+\-=])")
_NUMBER_MARK: Final = re.compile(r"^(\d+)([.)])")


def markdown(report: ReportView) -> str:
    """The report's Markdown text. Raises ReportNotReady."""
    return "\n".join(_lines(make_outline(report))) + "\n"


def escape(text: str) -> str:
    """One line of plain text that CommonMark shows as it stands."""
    escaped = _INLINE_MARKS.sub(r"\\\1", " ".join(text.split()))
    escaped = _BLOCK_MARK.sub(r"\\\1", escaped)
    return _NUMBER_MARK.sub(r"\1\\\2", escaped)


def _lines(outline: Outline) -> Iterator[str]:
    yield f"# {escape(outline.title)}"
    yield ""
    yield escape(outline.subtitle)
    for part in outline.parts:
        yield ""
        yield f"## {escape(part.heading)}"
        yield ""
        for claim in part.claims:
            yield f"- {escape(claim.text)} [{', '.join(str(number) for number in claim.sources)}]"
    yield ""
    yield f"## {APPENDIX_HEADING}"
    yield ""
    yield from (_source_line(source) for source in outline.sources)


def _source_line(source: Source) -> str:
    line = f"{source.number}. {source.day}: **{escape(source.title)}**"
    if source.place:
        line += f" ({escape(source.place)})"
    if source.impact:
        line += f": {escape(source.impact)}"
    return line
