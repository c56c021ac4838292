"""Cells that no spreadsheet runs, and that come back as they were."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.common.csv_cells import Cell, format_cell, read_text_cell, stream_csv

# What starts a formula somewhere, by the lists of OWASP and of the spreadsheets themselves.
RISKY = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
texts = st.one_of(
    st.text(alphabet=st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")),
    st.tuples(st.sampled_from(RISKY + "'"), st.text(alphabet="=+-@'\"\t\r\n,;a1 ")).map("".join),
)


def parse(lines: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(lines.removeprefix("\ufeff"), newline="")))


@pytest.mark.failure("T12")
@given(st.lists(texts, min_size=1, max_size=5))
def test_no_text_becomes_a_formula_and_each_comes_back_as_it_was(row: list[str]) -> None:
    parsed = parse("".join(stream_csv(header=["x"], rows=[row])))[1]
    assert [cell for cell in parsed if cell[:1] and cell[0] in RISKY] == []
    assert [read_text_cell(cell) for cell in parsed] == row


@pytest.mark.failure("T12")
@given(st.one_of(st.integers(), st.decimals(allow_nan=False, allow_infinity=False)))
def test_numbers_stay_numbers(value: int | Decimal) -> None:
    assert Decimal(format_cell(value)) == value


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-5, "-5"),
        ("-5", "'-5"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("'tis", "''tis"),
        ("plain", "plain"),
        (datetime(2026, 3, 14, tzinfo=UTC), "2026-03-14T00:00:00Z"),
    ],
)
def test_each_kind_of_value_has_one_form(value: Cell, cell: str) -> None:
    assert format_cell(value) == cell


def test_a_file_is_made_line_by_line() -> None:
    lines = stream_csv(header=["a", "b"], rows=([number, "x"] for number in range(10**9)))
    assert [next(lines) for _ in range(3)] == ["\ufeffa,b\r\n", "0,x\r\n", "1,x\r\n"]
