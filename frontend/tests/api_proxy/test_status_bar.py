import pytest
from django.test import Client

from apps.api_proxy.views import poll_after
from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.server import Reply

BAR = "/api-proxy/status-bar/"


def test_it_shows_balance_tokens_jobs_and_age(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.status = shapes.status(jobs_running=2, tokens_in=1_234_567)
    page = signed_in.get(BAR).content.decode()
    assert all(part in page for part in ("$4.20", "1.2M in", "3.1K out", "2 jobs", "just now"))


def test_it_names_its_own_pace_and_what_refreshes_it(signed_in: Client) -> None:
    page = signed_in.get(BAR).content.decode()
    assert 'hx-trigger="every 30s, job-finished from:body, reserve-changed from:body, tab-shown from:body"' in page
    assert f'hx-get="{BAR}?missed=0&amp;notice="' in page


@pytest.mark.parametrize(("level", "word"), [("yellow", "low"), ("red", "spent")])
def test_a_low_reserve_is_told_by_word_icon_and_voice(
    level: str, word: str, signed_in: Client, fake_backend: FakeBackend
) -> None:
    fake_backend.status = shapes.status(level=level, reserve_balance_dollars="-0.15")
    page = signed_in.get(BAR).content.decode()
    assert f"<span>{word}</span>" in page
    assert "icons.svg#alert-" in page
    assert f'data-announce="Your reserve is {word}' in page


def test_a_missing_backend_keeps_the_last_values_and_says_so(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.get(BAR)
    fake_backend.stop()
    response = signed_in.get(BAR)
    assert response.status_code == 200
    page = response.content.decode()
    assert all(part in page for part in ("$4.20", "offline, ", "is-stale", f'hx-get="{BAR}?missed=1&amp;notice="'))


def test_a_missing_backend_without_last_values_says_just_that(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    assert "The backend does not answer" in signed_in.get(BAR).content.decode()


@pytest.mark.parametrize(("missed", "seconds"), [("0", 30), ("1", 60), ("2", 120), ("9", 120), ("nonsense", 30)])
def test_it_backs_off(missed: str, seconds: int, signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    page = signed_in.get(BAR, {"missed": missed}).content.decode()
    assert f'data-poll-seconds="{seconds}"' in page


def test_it_comes_back_to_its_pace(signed_in: Client) -> None:
    assert 'data-poll-seconds="30"' in signed_in.get(BAR, {"missed": "7"}).content.decode()
    assert poll_after(missed=0).missed == 0


def test_a_slow_backend_costs_one_poll_deadline(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("GET", "/api/status/bar/", Reply(status=503))
    assert "is-stale" in signed_in.get(BAR).content.decode()


def test_every_page_begins_with_the_last_values(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.get(BAR)
    page = signed_in.get("/profile/").content.decode()
    assert 'hx-trigger="load, every 30s' in page
    assert "$4.20" in page


def test_another_person_s_values_are_not_shown(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.get(BAR)
    fake_backend.add_user("bea", "another horse")
    other = Client()
    other.post("/accounts/login/", {"login": "bea", "password": "another horse"})
    assert "$4.20" not in other.get("/profile/").content.decode()


def test_the_reserve_line_shows_what_is_held(signed_in: Client) -> None:
    page = signed_in.get("/api-proxy/reserve-balance/").content.decode()
    assert "$4.16" in page
    assert "held" in page


def test_the_reserve_line_is_silent_about_nothing_held(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.balance = shapes.balance(held_micros=0)
    assert "held" not in signed_in.get("/api-proxy/reserve-balance/").content.decode()


def test_the_stand_in_page_is_told_when_the_backend_is_back(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    assert signed_in.get("/api-proxy/reachable/").status_code == 204
    fake_backend.start()
    assert signed_in.get("/api-proxy/reachable/")["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("notice", "told"),
    [("low", "Your reserve runs low."), ("empty", "Your reserve is used up."), ("stopped", "Spending has stopped.")],
)
def test_a_reserve_that_runs_out_is_said_on_every_page(
    signed_in: Client, fake_backend: FakeBackend, notice: str, told: str
) -> None:
    fake_backend.status |= {"notice": notice}
    signed_in.get(BAR)
    page = signed_in.get("/jobs/").content.decode()
    assert told in page
    assert f'notice={notice}"' in page
    assert 'href="/billing/topup/">Top up</a>' in page


def test_on_the_page_that_helps_the_banner_leads_nowhere(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.status |= {"notice": "low"}
    signed_in.get(BAR)
    page = signed_in.get("/billing/topup/").content.decode()
    assert "Your reserve runs low." in page
    assert ">Top up</a>" not in page


def test_a_poll_brings_another_banner_and_leaves_the_same_one_alone(
    signed_in: Client, fake_backend: FakeBackend
) -> None:
    fake_backend.status |= {"notice": "empty"}
    assert 'id="reserve-banner" hx-swap-oob="true"' in signed_in.get(BAR, {"notice": "low"}).content.decode()
    assert "reserve-banner" not in signed_in.get(BAR, {"notice": "empty"}).content.decode()


def test_a_banner_goes_when_the_reserve_has_recovered(signed_in: Client) -> None:
    gone = signed_in.get(BAR, {"notice": "low"}).content.decode()
    assert '<div id="reserve-banner" hx-swap-oob="true">' in gone
    assert "data-notice" not in gone


def test_a_missing_backend_leaves_the_banner_as_it_is(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    assert "reserve-banner" not in signed_in.get(BAR, {"notice": "low"}).content.decode()
