"""A product whose worker may be killed at named points."""

from collections.abc import Iterator

import pytest

from devstack import programs
from devstack.stack import Stack

# The pages are not part of these tests; mail and payments neither.
WANTED = [name for name in programs.ALL if name not in {"frontend", "standin-mail", "standin-stripe"}]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Leases of a few seconds, so that the sweeper's work can be seen."""
    env = {"DJANGO_SETTINGS_MODULE": "config.settings.chaos", "HOLD_LEASE_SECONDS": "4"}
    with Stack(env=env, wanted=WANTED) as stack:
        yield stack
