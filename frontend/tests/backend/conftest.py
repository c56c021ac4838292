from collections.abc import Iterator

import pytest

from apps.backend.client import BackendClient
from apps.backend.transport import Transport
from tests.fakes.backend import FakeBackend


@pytest.fixture
def fake() -> Iterator[FakeBackend]:
    server = FakeBackend()
    server.start()
    server.add_user()
    yield server
    server.stop()


@pytest.fixture
def transport(fake: FakeBackend) -> Iterator[Transport]:
    made = Transport(base_url=fake.url)
    yield made
    made.close()


@pytest.fixture
def client(fake: FakeBackend, transport: Transport) -> BackendClient:
    return BackendClient(transport=transport, token=fake.issue_token(), request_id="request-0001")
