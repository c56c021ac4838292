"""One world for the whole package: to make it takes longer than to ask."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from apps.shell.client import transport_to
from tests.access.world import World, make_world
from tests.fakes.backend import FakeBackend


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """The world in a transaction that is undone at the end; each call inside has a savepoint of its own."""
    fake = FakeBackend()
    fake.start()
    with django_db_blocker.unblock(), override_settings(BACKEND_BASE_URL=fake.url), transaction.atomic():
        yield make_world(fake)
        transaction.set_rollback(True)
    transport_to(fake.url).close()
    transport_to.cache_clear()
    fake.stop()
