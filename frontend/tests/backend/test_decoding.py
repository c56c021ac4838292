from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from apps.backend.decoding import UnexpectedShape, decode


@dataclass(frozen=True)
class Part:
    name: str
    size: Decimal | None


@dataclass(frozen=True)
class Whole:
    id: UUID
    made_on: date
    made_at: datetime
    parts: tuple[Part, ...]
    notes: Mapping[str, Any]
    count: int = 3
    words: tuple[str, ...] = field(default_factory=tuple)


def sample(**over: Any) -> dict[str, Any]:
    return {
        "id": "0192f3a4-0000-7000-8000-000000000001",
        "made_on": "2026-11-20",
        "made_at": "2026-11-20T08:30:00Z",
        "parts": [{"name": "a", "size": "2.50"}, {"name": "b", "size": None}],
        "notes": {"any": [1]},
    } | over


def test_reads_nested_values_by_their_annotations() -> None:
    whole = decode(Whole, sample())
    assert whole.made_at == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    assert whole.parts == (Part("a", Decimal("2.50")), Part("b", None))


def test_ignores_fields_that_it_does_not_know() -> None:
    assert decode(Whole, sample(added_next_year=True)).count == 3


@pytest.mark.parametrize(
    ("over", "place"),
    [
        ({"id": "no-uuid"}, "Whole.id"),
        ({"made_on": 7}, "Whole.made_on"),
        ({"made_at": "2026-11-20T08:30:00"}, "Whole.made_at"),
        ({"parts": {}}, "Whole.parts"),
        ({"parts": [{"size": None}]}, "Part.name"),
        ({"parts": [{"name": "a", "size": "much"}]}, "Part.size"),
        ({"notes": []}, "Whole.notes"),
        ({"count": True}, "Whole.count"),
        ({"count": "3"}, "Whole.count"),
    ],
)
def test_names_the_place_that_breaks_the_contract(over: dict[str, Any], place: str) -> None:
    with pytest.raises(UnexpectedShape, match=place):
        decode(Whole, sample(**over))


def test_refuses_what_is_no_object() -> None:
    with pytest.raises(UnexpectedShape, match="object"):
        decode(Whole, ["id"])
