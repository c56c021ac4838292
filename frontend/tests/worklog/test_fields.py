"""How typed values are read and shown values compared."""

from decimal import Decimal

import pytest

from apps.worklog.fields import read_tags, shown_decimal
from apps.worklog.history import differences_of


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", []),
        (" , #, ,", []),
        ("Python, #sql,python ,  large   scale", ["Python", "sql", "large scale"]),
    ],
)
def test_tags_are_read_once_each(text: str, tags: list[str]) -> None:
    assert read_tags(text) == tags


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (Decimal("2.00"), "2"), (Decimal(1200), "1200"), (Decimal("0.50"), "0.5")]
)
def test_decimals_are_shown_without_padding(value: Decimal | None, text: str) -> None:
    assert shown_decimal(value) == text


def test_figures_are_compared_by_value() -> None:
    assert differences_of({"hours": "2.00"}, {"hours": "2"}) == ()


def test_a_figure_that_cannot_be_read_is_compared_as_text() -> None:
    assert differences_of({"hours": "two"}, {"hours": "2"})[0].before == "two"
