"""What the author wrote reaches nobody else, whatever they read."""

from typing import Any

import pytest

from tests.access.requests import MARKER, send
from tests.access.test_matrix import MATRIX
from tests.access.world import World, undone

pytestmark = [pytest.mark.django_db, pytest.mark.failure("T04")]

READS = sorted(operation.split()[1] for operation in MATRIX if operation.startswith("GET "))
# What the author wrote into the worklog and its reports. Staff may see notes of invitations and reasons of grants, and
# the names of employers are the whole tenant's.
CONTENT = (f"Entry {MARKER}", f"Gone {MARKER}", f"Report {MARKER}")


def read(name: str, caller: str, world: World) -> str:
    """All that the caller is answered."""
    with undone():
        answer: Any = send(world.people.call(caller), "GET", name, world)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        for close in answer._resource_closers:
            close()
    return str(content, "utf-8", "replace")


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("caller", ["anonymous", "other", "expired", "closed"])
def test_strangers_read_nothing_of_the_author(name: str, caller: str, world: World) -> None:
    assert MARKER not in read(name, caller, world)


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("caller", ["staff", "member"])
def test_neither_staff_nor_colleagues_read_what_the_author_wrote(name: str, caller: str, world: World) -> None:
    page = read(name, caller, world)
    assert [text for text in CONTENT if text in page] == []


@pytest.mark.parametrize("name", ["worklog-list", "worklog-detail", "report-detail", "employer-list", "sessions"])
def test_the_author_reads_it_all(name: str, world: World) -> None:
    assert MARKER in read(name, "author", world)
