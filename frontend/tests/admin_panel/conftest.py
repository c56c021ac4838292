import pytest
from django.test import Client

from tests.fakes.backend import FakeBackend


@pytest.fixture
def staff(client: Client, fake_backend: FakeBackend, db: None) -> Client:
    """sam of staff, signed in with a second factor."""
    fake_backend.add_user("sam", "correct horse", is_staff=True)
    response = client.post("/accounts/login/", {"login": "sam", "password": "correct horse"})
    assert response.status_code == 302, response.content
    fake_backend.received.clear()
    return client
