"""What holds for every page of reporting, and the list."""

import pytest
from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX

REPORT = f"/reporting/{shapes.ABSENT_ID}/"
PAGES = ["/reporting/", "/reporting/generate/", REPORT, f"{REPORT}delete/"]
ACTIONS = ["/reporting/generate/estimate/", f"{REPORT}cancel/", f"{REPORT}retry/", f"{REPORT}rename/"]


@pytest.mark.parametrize("path", [*PAGES, *ACTIONS, f"{REPORT}progress/", f"{REPORT}download/pdf/"])
def test_the_signed_out_are_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", PAGES)
def test_without_a_backend_there_is_a_calm_page(signed_in: Client, fake_backend: FakeBackend, path: str) -> None:
    fake_backend.stop()
    assert signed_in.get(path).status_code == 503


@pytest.mark.parametrize("path", ACTIONS)
def test_actions_are_posts(signed_in: Client, path: str) -> None:
    assert signed_in.get(path).status_code == 405


@pytest.mark.parametrize("path", [REPORT, f"{REPORT}delete/"])
def test_a_report_that_is_not_there_is_404(signed_in: Client, path: str) -> None:
    assert signed_in.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/reporting/", "/reporting/generate/"])
def test_whole_and_part_are_not_mixed_up_and_the_token_stays_on_the_server(
    signed_in: Client, fake_backend: FakeBackend, path: str
) -> None:
    response = signed_in.get(path)
    assert "HX-Request" in response.headers["Vary"]
    assert not [token for token in fake_backend.tokens if token in response.content.decode()]


def test_an_empty_list_says_what_to_do(signed_in: Client) -> None:
    assert "Make the first one" in signed_in.get("/reporting/").content.decode()


def test_reports_are_listed_with_state_and_cost(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.reports.extend([shapes.report([shapes.entry()]), shapes.report([], state="pending", cost_micros=None)])
    page = signed_in.get("/reporting/").content.decode()
    assert "3 bullets from 3 entries" in page
    assert "In the making" in page
    assert "$0.000372" in page


def test_further_reports_follow_in_place(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.reports.extend(shapes.report([]) for _ in range(26))
    assert 'href="/reporting/?cursor=25"' in signed_in.get("/reporting/").content.decode()
    more = signed_in.get("/reporting/?cursor=25", headers=HTMX).content.decode()
    assert more.count("<li>") == 1
    assert "<html" not in more
