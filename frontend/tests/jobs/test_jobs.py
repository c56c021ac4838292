"""Jobs: the list that follows what runs, and one job with its steps."""

import pytest
from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX, triggers_of
from tests.fakes.identity import refuse
from tests.fakes.shapes import Json

KEY = "0f9f2a2e-5a53-4d3b-9d0a-6f1a2b3c4d5e"
ABSENT = f"/jobs/{shapes.ABSENT_ID}/"


@pytest.fixture
def job(fake_backend: FakeBackend) -> Json:
    made = shapes.job("running", report_id=shapes.new_id())
    fake_backend.jobs.append(made)
    return made


@pytest.mark.parametrize("path", ["/jobs/", ABSENT, f"{ABSENT}cancel/", f"{ABSENT}retry/"])
def test_the_signed_out_are_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", ["/jobs/", ABSENT])
def test_without_a_backend_there_is_a_calm_page(signed_in: Client, fake_backend: FakeBackend, path: str) -> None:
    fake_backend.stop()
    assert signed_in.get(path).status_code == 503


@pytest.mark.parametrize("path", ["/jobs/", ABSENT])
def test_a_poll_without_a_backend_leaves_the_page_as_it_is(
    signed_in: Client, fake_backend: FakeBackend, path: str
) -> None:
    fake_backend.stop()
    assert signed_in.get(path, headers=HTMX).status_code == 204


def test_a_job_that_is_not_there_is_404(signed_in: Client) -> None:
    assert signed_in.get(ABSENT).status_code == 404


def test_an_empty_list_says_what_to_do(signed_in: Client) -> None:
    assert "Nothing has run yet" in signed_in.get("/jobs/").content.decode()


def test_the_list_polls_while_something_runs(signed_in: Client, job: Json) -> None:
    response = signed_in.get("/jobs/")
    assert 'hx-get="/jobs/?open=1"' in response.content.decode()
    assert "HX-Request" in response.headers["Vary"]


def test_the_list_stops_polling_and_tells_the_page_when_nothing_runs_any_more(signed_in: Client, job: Json) -> None:
    job |= {"state": "succeeded", "cost_micros": 372}
    response = signed_in.get("/jobs/?open=1", headers=HTMX)
    page = response.content.decode()
    assert "data-poll" not in page
    assert "Open the report" in page
    assert "$0.000372" in page
    assert "job-finished" in triggers_of(response)


@pytest.mark.parametrize("count", ["1", "many", "0" * 9])
def test_as_long_as_nothing_ended_the_page_is_told_nothing(signed_in: Client, job: Json, count: str) -> None:
    assert triggers_of(signed_in.get(f"/jobs/?open={count}", headers=HTMX)) == {}


def test_further_jobs_follow_in_place(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.jobs.extend(shapes.job("failed", error="No.") for _ in range(26))
    assert 'href="/jobs/?cursor=25"' in signed_in.get("/jobs/").content.decode()
    more = signed_in.get("/jobs/?cursor=25", headers=HTMX).content.decode()
    assert more.count("<li>") == 1
    assert "jobs-live" not in more


def test_without_scripts_the_next_page_leads_back(signed_in: Client, job: Json) -> None:
    assert "Back to the newest" in signed_in.get("/jobs/?cursor=0").content.decode()


def test_further_jobs_need_a_backend(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.stop()
    assert signed_in.get("/jobs/?cursor=25", headers=HTMX).status_code == 503


def test_a_job_shows_its_steps_events_and_report(signed_in: Client, job: Json) -> None:
    job["steps"] = [shapes.step("write", "failed") | {"attempt": 2, "error": "Cut off."}, shapes.step("next", "ready")]
    page = signed_in.get(f"/jobs/{job['id']}/").content.decode()
    for told in ("attempt 2", "Cut off.", "Waiting", "job.started", f'href="/reporting/{job["report_id"]}/"'):
        assert told in page


def test_an_open_job_is_polled(signed_in: Client, job: Json) -> None:
    response = signed_in.get(f"/jobs/{job['id']}/", headers=HTMX)
    assert f'hx-get="/jobs/{job["id"]}/"' in response.content.decode()
    assert "<html" not in response.content.decode()
    assert triggers_of(response) == {}


def test_the_end_of_a_job_ends_the_polling(signed_in: Client, job: Json) -> None:
    job |= {"state": "failed", "error": "The writer gave up.", "error_code": "writer_failed", "can_retry": True}
    response = signed_in.get(f"/jobs/{job['id']}/", headers=HTMX)
    assert "data-poll" not in response.content.decode()
    assert "writer_failed" in response.content.decode()
    assert "job-finished" in triggers_of(response)


def test_cancelling_stops_the_job(signed_in: Client, job: Json) -> None:
    assert signed_in.post(f"/jobs/{job['id']}/cancel/").headers["Location"] == f"/jobs/{job['id']}/"
    assert job["state"] == "cancelled"


def test_retrying_queues_it_again_with_the_key_of_the_form(
    signed_in: Client, job: Json, fake_backend: FakeBackend
) -> None:
    signed_in.post(f"/jobs/{job['id']}/retry/", {"idempotency_key": KEY})
    assert fake_backend.calls_of("POST", f"/api/jobs/{job['id']}/retry/")[0].headers["idempotency-key"] == KEY


@pytest.mark.parametrize(
    ("action", "status", "code"),
    [("cancel", 409, "wrong_state"), ("retry", 409, "wrong_state"), ("retry", 402, "insufficient_reserve")],
)
def test_an_action_that_is_refused_says_why(
    signed_in: Client, job: Json, fake_backend: FakeBackend, action: str, status: int, code: str
) -> None:
    fake_backend.answer_with("POST", f"/api/jobs/{job['id']}/{action}/", refuse(status, code, "Not now."))
    assert "Not now." in signed_in.post(f"/jobs/{job['id']}/{action}/", follow=True).content.decode()
