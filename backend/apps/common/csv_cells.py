"""Cells of CSV files that no spreadsheet takes for a formula.

Excel, LibreOffice and Google Sheets run a cell that begins with one of these characters, whoever wrote it (OWASP, CSV
injection). An apostrophe in front makes it text; a text that begins with an apostrophe gets one more, so that a reader
who takes one away has exactly what was written.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

Cell = str | int | Decimal | bool | date | datetime | UUID | None

_GUARD: Final = "'"
# Line feed and the full-width twins are not in every list, but some spreadsheets fold them into the others.
_RISKY: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def format_cell(value: Cell) -> str:
    """The value as it stands in the file. Numbers, times and ids cannot hold a formula and stay what they are."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return _GUARD + value if value[:1] in _RISKY or value.startswith(_GUARD) else value


def read_text_cell(cell: str) -> str:
    """The text that `format_cell` was given."""
    return cell[1:] if cell.startswith(_GUARD) else cell


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def stream_csv(*, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The file line by line, so that its length needs no memory. UTF-8 with a mark, which Excel wants to see."""
    writer = csv.writer(_Line())
    yield "\ufeff" + writer.writerow(header)
    for row in rows:
        yield writer.writerow([format_cell(value) for value in row])
