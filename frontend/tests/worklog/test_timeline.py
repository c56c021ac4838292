"""The worklog page: entries, filters, more of them, and nothing at all."""

import pytest
from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX


def fill(fake_backend: FakeBackend, count: int) -> None:
    fake_backend.entries.extend(
        shapes.entry(f"Entry {number}", occurred_on=f"2026-11-{28 - number % 28:02}") for number in range(count)
    )


def asked(fake_backend: FakeBackend) -> dict[str, str]:
    return dict(fake_backend.calls_of("GET", "/api/worklogs/")[-1].query)


def test_entries_are_shown_with_what_they_lack(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.entries.append(shapes.entry("Interviewed three people", impact="", status="draft"))
    page = signed_in.get("/worklog/").content.decode()
    assert "Interviewed three people" in page
    assert "No impact yet" in page
    assert "1 entry" in page


def test_a_worklog_without_entries_says_what_to_do(signed_in: Client) -> None:
    assert "Add your first entry" in signed_in.get("/worklog/").content.decode()


def test_filters_that_match_nothing_can_be_cleared(signed_in: Client, fake_backend: FakeBackend) -> None:
    fill(fake_backend, 2)
    assert "Clear the filters" in signed_in.get("/worklog/?q=nowhere").content.decode()


def test_filters_reach_the_backend(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.get(
        "/worklog/?q=run&from=2026-11-01&to=2026-11-30&employer=Acme&project=Billing&tag=sql&lacks_impact=true"
    )
    expected = {"q": "run", "from": "2026-11-01", "to": "2026-11-30", "employer": "Acme", "project": "Billing"}
    assert expected.items() <= asked(fake_backend).items()
    assert asked(fake_backend)["tag"] == "sql"
    assert asked(fake_backend)["lacks_impact"] == "true"


def test_a_day_that_is_none_is_left_out_and_said(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.get("/worklog/?from=soon&q=run", headers=HTMX)
    assert "from" not in asked(fake_backend)
    assert asked(fake_backend)["q"] == "run"
    assert "Enter a valid date." in response.content.decode()


def test_days_in_the_wrong_order_are_said(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.get("/worklog/?from=2026-11-02&to=2026-11-01")
    assert "The last day lies before the first." in response.content.decode()
    assert asked(fake_backend)["from"] == "2026-11-02"


def test_a_filter_swaps_the_list_and_changes_the_address(signed_in: Client, fake_backend: FakeBackend) -> None:
    fill(fake_backend, 3)
    response = signed_in.get("/worklog/?q=Entry&from=", headers=HTMX | {"HX-Trigger": "timeline-filters"})
    assert response.headers["HX-Push-Url"] == "/worklog/?q=Entry"
    assert "<html" not in response.content.decode()
    assert 'id="timeline"' in response.content.decode()


def test_a_list_that_refreshes_itself_leaves_the_address_alone(signed_in: Client) -> None:
    assert "HX-Push-Url" not in signed_in.get("/worklog/", headers=HTMX).headers


def test_clearing_the_filters_clears_the_address(signed_in: Client) -> None:
    response = signed_in.get("/worklog/?q=", headers=HTMX | {"HX-Trigger": "timeline-filters"})
    assert response.headers["HX-Push-Url"] == "/worklog/"


def test_more_entries_follow_in_place_and_are_counted(signed_in: Client, fake_backend: FakeBackend) -> None:
    fill(fake_backend, 30)
    first = signed_in.get("/worklog/?q=Entry")
    url = first.context["more_url"]
    assert "25 entries so far" in first.content.decode()
    more = signed_in.get(url, headers=HTMX)
    assert "30 entries" in more.content.decode()
    assert 'id="timeline"' not in more.content.decode()
    assert more.context["months"][0].is_continued


def test_without_scripts_the_next_page_leads_back(signed_in: Client, fake_backend: FakeBackend) -> None:
    fill(fake_backend, 30)
    page = signed_in.get("/worklog/?cursor=25").content.decode()
    assert "Back to the newest" in page


def test_a_cursor_at_the_end_says_that_this_was_all(signed_in: Client) -> None:
    assert "That was all" in signed_in.get("/worklog/?cursor=25").content.decode()


def test_odd_positions_in_the_address_do_no_harm(signed_in: Client, fake_backend: FakeBackend) -> None:
    fill(fake_backend, 1)
    assert signed_in.get("/worklog/?after=soon&shown=lots&saved=me").context["shown"] == 1


@pytest.mark.parametrize(("action", "words"), [("saved", "Saved."), ("deleted", "Entry deleted.")])
def test_what_was_just_done_can_be_undone(signed_in: Client, action: str, words: str) -> None:
    page = signed_in.get(f"/worklog/?{action}={shapes.new_id()}").content.decode()
    assert words in page
    assert "Undo" in page
