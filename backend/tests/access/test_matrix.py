"""Who may do what: every operation of the API, asked for by every kind of caller, against matrix.txt."""

from pathlib import Path
from typing import Any

import pytest

from tests.access.callers import CALLERS
from tests.access.requests import REQUESTS, send
from tests.access.world import World, undone
from tests.architecture.test_addresses import list_endpoints

pytestmark = [pytest.mark.django_db, pytest.mark.failure("T01")]

TABLE = Path(__file__).with_name("matrix.txt")


def read_matrix() -> dict[str, dict[str, int]]:
    """The expected status of each caller, by operation."""
    lines = [line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    header, rows = lines[0], lines[1:]
    assert tuple(header[2:]) == CALLERS
    return {f"{row[0]} {row[1]}": dict(zip(CALLERS, map(int, row[2:]), strict=True)) for row in rows}


MATRIX = read_matrix()


def list_operations() -> list[str]:
    return sorted(f"{method.upper()} {name}" for method, name in list_endpoints())


def ask_all(operation: str, world: World) -> dict[str, int]:
    """What each caller is answered, each on the same unchanged data."""
    method, name = operation.split()
    answers = {}
    for caller in CALLERS:
        with undone():
            answer: Any = send(world.people.call(caller), method, name, world)
            answers[caller] = answer.status_code
            for close in answer._resource_closers:
                close()
    return answers


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    assert sorted(MATRIX) == list_operations()


def test_every_prepared_request_belongs_to_an_operation() -> None:
    assert set(REQUESTS) <= set(list_operations())


@pytest.mark.parametrize("operation", sorted(MATRIX))
def test_each_caller_gets_the_answer_of_the_matrix(operation: str, world: World) -> None:
    assert ask_all(operation, world) == MATRIX[operation]


def test_a_matrix_that_is_wrong_is_noticed(world: World) -> None:
    assert ask_all("GET worklog-detail", world) != MATRIX["GET worklog-detail"] | {"other": 200}
