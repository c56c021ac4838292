"""What holds for every page of the worklog."""

import pytest
from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX

ENTRY = f"/worklog/{shapes.ABSENT_ID}/"
PAGES = ["/worklog/", "/worklog/quick-add/", ENTRY, f"{ENTRY}edit/"]
ACTIONS = ["/worklog/quick-add/preview/", f"{ENTRY}delete/", f"{ENTRY}restore/"]


@pytest.mark.parametrize("path", [*PAGES, *ACTIONS])
def test_the_signed_out_are_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/accounts/login/")
    assert client.get(path, headers=HTMX).headers["HX-Redirect"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", ["/worklog/", ENTRY, f"{ENTRY}edit/"])
def test_without_a_backend_there_is_a_calm_page(signed_in: Client, fake_backend: FakeBackend, path: str) -> None:
    fake_backend.stop()
    response = signed_in.get(path)
    assert response.status_code == 503
    assert "taking a break" in response.content.decode()


@pytest.mark.parametrize("path", ACTIONS)
def test_actions_are_posts(signed_in: Client, path: str) -> None:
    assert signed_in.get(path).status_code == 405


@pytest.mark.parametrize("path", ["/worklog/", "/worklog/quick-add/"])
def test_whole_and_part_are_not_mixed_up_by_caches(signed_in: Client, path: str) -> None:
    assert "HX-Request" in signed_in.get(path).headers["Vary"]


@pytest.mark.parametrize("path", ["/worklog/", "/worklog/quick-add/"])
def test_the_token_stays_on_the_server(signed_in: Client, fake_backend: FakeBackend, path: str) -> None:
    page = signed_in.get(path).content.decode()
    assert not [token for token in fake_backend.tokens if token in page]
