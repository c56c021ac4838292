"""Fixtures shared by all of the frontend's tests."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from apps.shell.client import transport_to
from tests.fakes.backend import FakeBackend


@pytest.fixture
def fake_backend(settings: Settings) -> Iterator[FakeBackend]:
    """A backend of this test's own, with one user: ada, `correct horse`."""
    fake = FakeBackend()
    fake.start()
    fake.add_user()
    settings.BACKEND_BASE_URL = fake.url
    yield fake
    transport_to(fake.url).close()
    # The next backend may listen on the same port, and must not be asked over a closed transport.
    transport_to.cache_clear()
    fake.stop()


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    yield
    cache.clear()


@pytest.fixture
def signed_in(client: Client, fake_backend: FakeBackend, db: None) -> Client:
    """A browser in which ada has signed in through the form."""
    response = client.post("/accounts/login/", {"login": "ada", "password": "correct horse"})
    assert response.status_code == 302, response.content
    fake_backend.received.clear()
    return client
