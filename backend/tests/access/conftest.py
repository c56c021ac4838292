"""One world for the whole package: to make it takes longer than to ask."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.access.world import World, make_world, undone


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """The world in a transaction that is undone at the end; each call inside has a savepoint of its own."""
    with django_db_blocker.unblock(), undone():
        yield make_world()
