"""A product whose worker may be killed at named points."""

from collections.abc import Iterator

import pytest

from devstack import programs
from devstack.stack import Stack

# The pages are not part of these tests; mail and payments neither.
WANTED = [name for name in programs.ALL if name not in {"frontend", "standin-mail", "standin-stripe"}]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Leases of a few seconds, so that the sweeper's work can be seen; a model behind HTTP that keeps a journal."""
    env = {"DJANGO_SETTINGS_MODULE": "config.settings.chaos", "HOLD_LEASE_SECONDS": "4"}
    stack = Stack(env=env, wanted=WANTED)
    stack.update_env({"LLM_BASE_URL": f"{stack.urls.llm}/v1", "LLM_API_KEY": "key", "LLM_MODEL": "gpt-4o-mini"})
    with stack:
        yield stack
