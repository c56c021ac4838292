"""A new report: choosing, pricing, starting."""

from datetime import date

import pytest
from django.test import Client
from django.utils import timezone

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.identity import refuse
from tests.fakes.server import Reply
from tests.fakes.shapes import Json

PAGE = "/reporting/generate/"
PRICE = "/reporting/generate/estimate/"
KEY = "0f9f2a2e-5a53-4d3b-9d0a-6f1a2b3c4d5e"


@pytest.fixture
def entries(fake_backend: FakeBackend) -> list[Json]:
    day = timezone.localdate().isoformat()
    fake_backend.entries.extend(shapes.entry(f"Entry {number}", occurred_on=day) for number in range(3))
    return fake_backend.entries


def choice(entries: list[Json], **over: object) -> dict[str, object]:
    ids = [item["id"] for item in entries]
    return {"period": "this_quarter", "title": "Autumn", "entry": ids, "idempotency_key": KEY} | over


def test_all_entries_of_this_quarter_are_chosen_and_priced(
    signed_in: Client, entries: list[Json], fake_backend: FakeBackend
) -> None:
    fake_backend.entries.append(shapes.entry("Long ago", occurred_on="2019-01-01"))
    page = signed_in.get(PAGE).content.decode()
    assert page.count(" checked") == 3 + 1  # and the switch of the single-key shortcuts
    assert "$0.0400" in page
    assert "Built-in writer" in page
    assert "Long ago" not in page


def test_another_period_brings_its_entries_and_its_price(
    signed_in: Client, entries: list[Json], fake_backend: FakeBackend
) -> None:
    response = signed_in.get(f"{PAGE}?period=custom&from=2019-01-01&to=2019-12-31", headers=HTMX)
    page = response.content.decode()
    assert "No entries in these days" in page
    assert 'id="estimate"' in page
    assert "<html" not in page
    assert fake_backend.calls_of("GET", "/api/worklogs/")[-1].query["from"] == "2019-01-01"


def test_unclear_days_are_asked_for_before_anything_is_priced(signed_in: Client, fake_backend: FakeBackend) -> None:
    page = signed_in.get(f"{PAGE}?period=custom&from=2026-02-01").content.decode()
    assert "Choose a day." in page
    assert "Choose the days first." in page
    assert fake_backend.calls_of("GET", "/api/worklogs/") == []


def test_no_more_entries_are_offered_than_a_report_may_rest_on(signed_in: Client, fake_backend: FakeBackend) -> None:
    day = date.today().isoformat()  # noqa: DTZ011 - any day of this quarter
    fake_backend.entries.extend(shapes.entry(occurred_on=day) for _ in range(501))
    response = signed_in.get(PAGE)
    assert len(response.context["making"].material.entries) == 500
    assert "a report rests on no more" in response.content.decode()


def test_the_price_follows_the_choice(signed_in: Client, entries: list[Json], fake_backend: FakeBackend) -> None:
    response = signed_in.post(PRICE, choice(entries[:2]), headers=HTMX)
    assert "$0.0400" in response.content.decode()
    sent = fake_backend.calls_of("POST", "/api/jobs/estimate/")[0].body
    assert sent["kind"] == "report"
    assert sent["params"]["entry_ids"] == [item["id"] for item in entries[:2]]
    assert sent["params"]["title"] == "Autumn"


def test_nothing_chosen_has_no_price(signed_in: Client, fake_backend: FakeBackend) -> None:
    page = signed_in.post(PRICE, choice([]), headers=HTMX).content.decode()
    assert "Choose at least one entry." in page
    assert "disabled" in page
    assert fake_backend.calls_of("POST", "/api/jobs/estimate/") == []


def test_unclear_days_have_no_price(signed_in: Client, entries: list[Json]) -> None:
    assert "disabled" in signed_in.post(PRICE, choice(entries, period="custom"), headers=HTMX).content.decode()


def test_what_the_reserve_does_not_cover_cannot_be_started(
    signed_in: Client, entries: list[Json], fake_backend: FakeBackend
) -> None:
    poor = shapes.estimate(is_affordable=False, reason="The reserve holds $0.01, this takes up to $0.04.")
    fake_backend.answer_with("POST", "/api/jobs/estimate/", Reply(body=poor))
    page = signed_in.post(PRICE, choice(entries), headers=HTMX).content.decode()
    assert "The reserve holds $0.01" in page
    assert 'href="/billing/settings/"' in page
    assert "disabled" in page


def test_what_may_take_the_reserve_below_zero_says_so_first(
    signed_in: Client, entries: list[Json], fake_backend: FakeBackend
) -> None:
    thin = shapes.estimate(at_most_micros=40_000, available_micros=39_999)
    fake_backend.answer_with("POST", "/api/jobs/estimate/", Reply(body=thin))
    page = signed_in.post(PRICE, choice(entries), headers=HTMX).content.decode()
    assert "may take your reserve below zero" in page
    assert "disabled" not in page


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "invalid", "At most 500 entries."),
        (409, "no_price", "No price is in force."),
        (429, "rate_limited", "No price is in force."),
        (503, "unavailable", "cannot be worked out at the moment"),
    ],
)
def test_why_there_is_no_price_is_said(
    signed_in: Client, entries: list[Json], fake_backend: FakeBackend, status: int, code: str, said: str
) -> None:
    fields: Json = {"entry_ids": ["At most 500 entries."]} if status == 400 else {}
    fake_backend.answer_with("POST", "/api/jobs/estimate/", refuse(status, code, "No price is in force.", fields))
    response = signed_in.post(PRICE, choice(entries), headers=HTMX)
    assert response.status_code == 200
    assert said in response.content.decode()
    assert ("Try again" in response.content.decode()) is (status == 503)


def test_a_dead_token_while_choosing_leads_to_sign_in(
    signed_in: Client, entries: list[Json], fake_backend: FakeBackend
) -> None:
    fake_backend.tokens.clear()
    assert "HX-Redirect" in signed_in.post(PRICE, choice(entries), headers=HTMX).headers


def test_starting_leads_to_the_report(signed_in: Client, entries: list[Json], fake_backend: FakeBackend) -> None:
    response = signed_in.post(PAGE, choice(entries[:1]))
    assert response.headers["Location"] == f"/reporting/{fake_backend.reports[0]['id']}/"
    call = fake_backend.calls_of("POST", "/api/reports/")[0]
    assert call.headers["idempotency-key"] == KEY
    assert call.body["entry_ids"] == [entries[0]["id"]]


def test_ids_that_are_none_are_left_out(signed_in: Client, entries: list[Json], fake_backend: FakeBackend) -> None:
    signed_in.post(PAGE, choice(entries[:1], entry=["x", entries[0]["id"], entries[0]["id"]]))
    assert fake_backend.calls_of("POST", "/api/reports/")[0].body["entry_ids"] == [entries[0]["id"]]


def test_without_a_choice_nothing_is_started(signed_in: Client, entries: list[Json], fake_backend: FakeBackend) -> None:
    response = signed_in.post(PAGE, choice([]))
    assert response.status_code == 400
    assert 'value="Autumn"' in response.content.decode()
    assert fake_backend.calls_of("POST", "/api/reports/") == []


@pytest.mark.parametrize("action", ["period", "estimate"])
def test_without_scripts_the_choice_can_be_changed_step_by_step(
    signed_in: Client, entries: list[Json], fake_backend: FakeBackend, action: str
) -> None:
    response = signed_in.post(PAGE, choice(entries[:1], action=action))
    assert response.status_code == 200
    assert len(response.context["making"].chosen) == (3 if action == "period" else 1)
    assert fake_backend.calls_of("POST", "/api/reports/") == []


@pytest.mark.parametrize(
    ("status", "code", "is_key_kept"),
    [
        (402, "insufficient_reserve", False),
        (409, "no_price", False),
        (400, "invalid", False),
        (503, "unavailable", True),
    ],
)
def test_a_refused_start_keeps_the_choice_and_says_why(
    signed_in: Client, entries: list[Json], fake_backend: FakeBackend, status: int, code: str, is_key_kept: bool
) -> None:
    fake_backend.answer_with("POST", "/api/reports/", refuse(status, code, "Told by the backend."))
    response = signed_in.post(PAGE, choice(entries[:2]))
    assert response.status_code == status
    assert len(response.context["making"].chosen) == 2
    assert (response.context["making"].key == KEY) is is_key_kept
    assert (">See the reserve</a>" in response.content.decode()) is (status == 402)


def test_a_start_without_a_backend_loses_nothing(
    signed_in: Client, entries: list[Json], fake_backend: FakeBackend
) -> None:
    fake_backend.stop()
    response = signed_in.post(PAGE, choice(entries[:2]))
    page = response.content.decode()
    assert response.status_code == 503
    assert "Your choice of 2 entries is kept" in page
    assert f'value="{entries[0]["id"]}"' in page
    assert response.context["making"].key == KEY


def test_a_dead_token_at_the_start_leads_to_sign_in(
    signed_in: Client, entries: list[Json], fake_backend: FakeBackend
) -> None:
    fake_backend.tokens.clear()
    assert signed_in.post(PAGE, choice(entries)).headers["Location"].startswith("/accounts/login/")
