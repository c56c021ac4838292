"""Fixtures shared by all of the backend's tests."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations


@pytest.fixture(scope="session", autouse=True)
def _flush_past_append_only() -> Any:
    """Lets the flush between transactional tests empty tables that refuse TRUNCATE.

    Only a superuser can step over triggers like this; the product's role is none.
    """
    original: Callable[..., None] = DatabaseOperations.execute_sql_flush

    def flush(self: DatabaseOperations, sql_list: Sequence[str]) -> None:
        statements = ["SET session_replication_role = replica", *sql_list, "SET session_replication_role = origin"]
        original(self, statements)

    patch = pytest.MonkeyPatch()
    patch.setattr(DatabaseOperations, "execute_sql_flush", flush)
    yield
    patch.undo()
