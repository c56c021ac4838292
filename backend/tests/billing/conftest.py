"""Fixtures of money."""

from collections.abc import Callable

import pytest
from django.db import connection


@pytest.fixture
def commit() -> Callable[[], None]:
    """Lets the rules that wait for the commit speak now, inside the test's own transaction."""
    return connection.check_constraints
