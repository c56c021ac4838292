"""Fixtures shared by all of the backend's tests."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, Final

import pytest
from django.conf import settings
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

from apps.common import rate_limits, scopes
from tests.stripe_world import stripe

__all__ = ["stripe"]

_GUARDED_TABLES: Final = """
    SELECT DISTINCT format('%I', c.relname)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND n.nspname = 'public'
"""


@pytest.fixture(autouse=True)
def _fresh_limits() -> Any:
    """No test meets the counts of another one."""
    yield
    rate_limits.outage.forget()
    if rate_limits.limiter_to.cache_info().currsize:
        rate_limits.limiter_to(settings.REDIS_URL, settings.RATE_LIMIT_PREFIX).storage.reset()


@pytest.fixture(scope="session", autouse=True)
def _flush_past_append_only() -> Any:
    """Lets the flush between transactional tests empty tables whose triggers refuse TRUNCATE.

    Only the owner of the tables can switch triggers off; the product has no code that does.
    """
    original: Callable[..., None] = DatabaseOperations.execute_sql_flush

    def flush(self: DatabaseOperations, sql_list: Sequence[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_GUARDED_TABLES)
            tables = [row[0] for row in cursor.fetchall()]
        off = [f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in tables]
        on = [f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in tables]
        original(self, [*off, *sql_list, *on])

    patch = pytest.MonkeyPatch()
    patch.setattr(DatabaseOperations, "execute_sql_flush", flush)
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def _scope_of_tests() -> Any:
    """Lets tests and their threads arrange and look at rows of every tenant.

    The name exists nowhere else. What runs behind an edge (a request, a task, a command) begins without a scope, as in
    production, and sees what it has opened for itself.
    """
    everything = scopes.Scope(access=scopes.Access.EVERYTHING, name="tests")
    patch = pytest.MonkeyPatch()
    patch.setattr(scopes, "_scope", ContextVar("scope", default=everything))
    yield
    patch.undo()
