"""Who is answered what: every address and method of this service, asked for by every kind of caller.

matrix.txt is what a browser without scripts is answered, matrix_htmx.txt what HTMX is. A new address without a row
fails here.
"""

from pathlib import Path
from typing import Final

import pytest

from tests.access.answers import word_for
from tests.access.callers import CALLERS, browser_of
from tests.access.requests import REQUESTS, build_address, send
from tests.access.routes import METHODS, find_view, list_routes
from tests.access.world import World, undone

pytestmark = [pytest.mark.django_db, pytest.mark.failure("T01")]

Matrix = dict[str, dict[str, str]]


def read_matrix(name: str) -> Matrix:
    """The expected answer of each caller, by operation."""
    text = Path(__file__).with_name(name).read_text()
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    header, rows = lines[0], lines[1:]
    assert tuple(header[2:]) == CALLERS
    assert len({tuple(row[:2]) for row in rows}) == len(rows)
    return {f"{row[0]} {row[1]}": dict(zip(CALLERS, row[2:], strict=True)) for row in rows}


PLAIN: Final = read_matrix("matrix.txt")
HTMX: Final = read_matrix("matrix_htmx.txt")


def ask_all(operation: str, world: World, *, is_htmx: bool = False) -> dict[str, str]:
    """What each caller is answered, each on the same unchanged data."""
    return {caller: ask(caller, operation, world, is_htmx=is_htmx) for caller in CALLERS}


def ask(caller: str, operation: str, world: World, *, is_htmx: bool = False) -> str:
    address = build_address(operation, world)
    with undone(world.fake):
        response = send(browser_of(caller, world), operation, world, is_htmx=is_htmx)
        return word_for(response, operation=operation, address=address, is_htmx=is_htmx)


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert {operation.split()[1] for operation in PLAIN} == set(list_routes())
    assert sorted(PLAIN) == sorted(HTMX)


def test_every_prepared_request_belongs_to_an_operation() -> None:
    assert set(REQUESTS) <= set(PLAIN)


@pytest.mark.parametrize("operation", sorted(PLAIN))
def test_each_caller_gets_the_answer_of_the_matrix(operation: str, world: World) -> None:
    assert ask_all(operation, world) == PLAIN[operation]


@pytest.mark.parametrize("operation", sorted(HTMX))
def test_each_caller_of_htmx_gets_the_answer_of_the_matrix(operation: str, world: World) -> None:
    assert ask_all(operation, world, is_htmx=True) == HTMX[operation]


def test_a_method_without_a_row_is_refused(world: World) -> None:
    missing = [f"{method} {name}" for name in list_routes() for method in METHODS if f"{method} {name}" not in PLAIN]
    answers = {operation: ask("owner", operation, world) for operation in missing}
    assert {operation: word for operation, word in answers.items() if word != "405"} == {}


@pytest.mark.parametrize("matrix", [PLAIN, HTMX])
def test_only_what_says_so_opens_without_a_sign_in(matrix: Matrix) -> None:
    walled = {operation for operation, row in matrix.items() if row["anonymous"] == "sign-in"}
    assert walled == {operation for operation in matrix if not is_open(operation)}


def is_open(operation: str) -> bool:
    return getattr(find_view(operation.split()[1]), "login_required", True) is False


@pytest.mark.parametrize("matrix", [PLAIN, HTMX])
def test_no_form_is_taken_from_another_site(matrix: Matrix) -> None:
    assert {row["forged"] for operation, row in matrix.items() if operation.startswith("POST")} == {"403"}


@pytest.mark.parametrize("matrix", [PLAIN, HTMX])
def test_staff_pages_let_nobody_in_but_staff_with_a_second_factor(matrix: Matrix) -> None:
    rows = [row for operation, row in matrix.items() if operation.split()[1].startswith("admin_panel:")]
    others = {word for row in rows for caller, word in row.items() if caller != "staff"}
    assert others <= {"sign-in", "403", "422"}
    assert {row["staff"] for row in rows} == {"200", "on"}


def test_a_matrix_that_is_wrong_is_noticed(world: World) -> None:
    assert ask_all("GET worklog:entry", world) != PLAIN["GET worklog:entry"] | {"other": "200"}
