"""Holds docs/asvs.md to what is there: `asvs_check.py check`.

Every requirement of levels 1 and 2 has one row, each row begins with a verdict, and each test that a row names exists.
A test is named as in pytest, without parameters: `backend/tests/api/test_errors.py::test_...`.
"""

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCUMENT: Final = Path("docs") / "asvs.md"
# How many requirements of levels 1 and 2 each chapter of version 5.0.0 has. V10 (OAuth) and V17 (WebRTC) do not apply.
CHAPTERS: Final = {
    "V1": 27,
    "V2": 11,
    "V3": 19,
    "V4": 10,
    "V5": 9,
    "V6": 35,
    "V7": 18,
    "V8": 7,
    "V9": 7,
    "V11": 14,
    "V12": 9,
    "V13": 13,
    "V14": 9,
    "V15": 13,
    "V16": 16,
}
VERDICTS: Final = ("Met", "Partly", "Not met", "By deployment", "Does not apply")
COLUMNS: Final = 5
_NUMBER: Final = re.compile(r"(V\d+)\.\d+\.\d+")
_NAMED: Final = re.compile(r"`([\w/.-]+\.py)((?:::\w+)+)`")


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement: its number, its level, and what is said about it."""

    number: str
    level: str
    answer: str
    tests: str

    @property
    def verdict(self) -> str:
        found = re.match(r"\*\*([\w ]+)\.?\*\*", self.answer)
        return found[1] if found else ""


def read_rows(page: str) -> Iterator[Row]:
    """The rows of every table whose first cell is a requirement's number."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and _NUMBER.fullmatch(cells[0]):
            padded = [*cells, *[""] * COLUMNS][:COLUMNS] if len(cells) <= COLUMNS else [*cells[:3], "", ""]
            yield Row(number=cells[0], level=padded[1], answer=padded[3], tests=padded[4])


def list_tests(scope: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    """What pytest would call the tests inside the scope: `::TestHouse::test_it_stands`."""
    for node in scope.body:
        if isinstance(node, ast.ClassDef):
            yield from list_tests(node, f"{prefix}::{node.name}")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield f"{prefix}::{node.name}"


def find_missing(page: str, root: Path) -> Iterator[str]:
    """The named tests that are not there, wherever in the document they are named."""
    known: dict[str, set[str]] = {}
    for path, name in _NAMED.findall(page):
        if path not in known:
            file = root / path
            known[path] = set(list_tests(ast.parse(file.read_text()))) if file.is_file() else set()
        if name not in known[path]:
            yield f"{path}{name}"


def judge_row(row: Row) -> Iterator[str]:
    """What is wrong with one row by itself, in sentences."""
    if row.level not in {"1", "2"}:
        yield f"{row.number}: the level is 1 or 2, and the row has five cells."
    if row.verdict not in VERDICTS:
        yield f"{row.number}: the answer begins with one of {', '.join(f'**{verdict}.**' for verdict in VERDICTS)}"
    if row.verdict == "Met" and not row.tests:
        yield f"{row.number}: what is met names a test, or says in that cell what shows it."


def judge_chapters(rows: list[Row]) -> Iterator[str]:
    """Requirements that stand twice or not at all."""
    for number, count in Counter(row.number for row in rows).items():
        if count > 1:
            yield f"{number}: stands there {count} times."
    found = Counter(row.number.partition(".")[0] for row in rows)
    for chapter in sorted(CHAPTERS.keys() | found.keys()):
        if found[chapter] != CHAPTERS.get(chapter, 0):
            yield f"{chapter}: {found[chapter]} requirements, where {CHAPTERS.get(chapter, 0)} are expected."


def find_faults(page: str, root: Path) -> list[str]:
    """What is wrong with the document, in sentences."""
    rows = list(read_rows(page))
    faults = [fault for row in rows for fault in judge_row(row)]
    faults += judge_chapters(rows)
    faults += [f"{name}: there is no such test." for name in sorted(set(find_missing(page, root)))]
    return faults


def main(root: Path = ROOT) -> int:
    page = (root / DOCUMENT).read_text()
    faults = find_faults(page, root)
    for fault in faults:
        print(f"{DOCUMENT}: {fault}", file=sys.stderr)
    if not faults and sys.argv[1:] == ["count"]:
        for verdict, count in Counter(row.verdict for row in read_rows(page)).most_common():
            print(f"{count:4} {verdict}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
