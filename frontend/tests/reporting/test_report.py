"""A report: in the making, failed, ready; its files, its name, its end."""

import pytest
from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX, triggers_of
from tests.fakes.identity import refuse
from tests.fakes.server import Reply
from tests.fakes.shapes import Json

KEY = "0f9f2a2e-5a53-4d3b-9d0a-6f1a2b3c4d5e"


@pytest.fixture
def report(fake_backend: FakeBackend) -> Json:
    made = shapes.report([shapes.entry("Cut the run", body="With *care*"), shapes.entry("Never cited")])
    del made["document"]["sections"][0]["bullets"][1]
    fake_backend.reports.append(made)
    return made


@pytest.fixture
def job(fake_backend: FakeBackend, report: Json) -> Json:
    made = shapes.job("running", id=report["job_id"], report_id=report["id"])
    report |= {"state": "pending", "document": None, "cost_micros": None}
    fake_backend.jobs.append(made)
    return made


def page_of(client: Client, report: Json) -> str:
    return client.get(f"/reporting/{report['id']}/").content.decode()


def test_each_bullet_names_its_entries_and_links_to_them(signed_in: Client, report: Json) -> None:
    page = page_of(signed_in, report)
    assert 'href="#source-1"' in page
    assert 'id="source-1"' in page
    assert f'href="/worklog/{report["entries"][0]["id"]}/"' in page
    assert "<em>care</em>" in page
    assert "1 chosen entry is not in the text" in page


def test_a_bullet_without_entries_is_marked(signed_in: Client, report: Json) -> None:
    report["document"]["sections"][0]["bullets"][0]["entry_ids"] = []
    assert "Nothing stands behind this line" in page_of(signed_in, report)


def test_cost_estimate_writer_and_rate_card_are_told(signed_in: Client, report: Json) -> None:
    page = page_of(signed_in, report)
    for told in ("$0.000372", "estimated at most $0.04", "Built-in writer", "Starter v1"):
        assert told in page


def test_a_report_in_the_making_shows_its_steps_and_asks_again(signed_in: Client, report: Json, job: Json) -> None:
    page = page_of(signed_in, report)
    assert f'hx-get="/reporting/{report["id"]}/progress/"' in page
    assert "Collect entries" in page
    assert f'action="/reporting/{report["id"]}/cancel/"' in page


def test_a_poll_changes_only_the_progress(signed_in: Client, report: Json, job: Json) -> None:
    job |= {"progress": 70}
    response = signed_in.get(f"/reporting/{report['id']}/progress/", headers=HTMX)
    assert "70 %" in response.content.decode()
    assert "HX-Retarget" not in response.headers


def test_the_last_poll_brings_the_document_and_refreshes_the_status_bar(
    signed_in: Client, report: Json, job: Json
) -> None:
    job |= {"state": "succeeded"}
    report |= {"state": "ready", "document": {"title": "t", "subtitle": "", "sections": []}}
    response = signed_in.get(f"/reporting/{report['id']}/progress/", headers=HTMX)
    assert response.headers["HX-Retarget"] == "#report"
    assert {"job-finished", "toast"} == triggers_of(response).keys()
    assert "/progress/" not in response.content.decode()


def test_a_report_that_lags_behind_its_job_is_asked_for_again(signed_in: Client, report: Json, job: Json) -> None:
    job |= {"state": "succeeded"}
    assert "/progress/" in signed_in.get(f"/reporting/{report['id']}/progress/", headers=HTMX).content.decode()


def test_a_failure_ends_the_polling_with_its_reason(signed_in: Client, report: Json, job: Json) -> None:
    job |= {"state": "failed", "error": "The writer gave up.", "can_retry": True, "can_cancel": False}
    report |= {"state": "failed"}
    response = signed_in.get(f"/reporting/{report['id']}/progress/", headers=HTMX)
    page = response.content.decode()
    assert "The writer gave up." in page
    assert "Try once more" in page
    assert triggers_of(response).keys() == {"job-finished"}


def test_a_blocked_report_leads_to_the_reserve(signed_in: Client, report: Json, job: Json) -> None:
    job |= {"state": "blocked", "can_retry": True}
    assert 'href="/billing/settings/">See the reserve' in page_of(signed_in, report)


def test_a_cancelled_report_without_a_job_says_so(signed_in: Client, report: Json) -> None:
    report |= {"state": "cancelled", "document": None, "job_id": None}
    assert "This report was cancelled." in page_of(signed_in, report)


def test_a_poll_without_a_backend_leaves_the_page_as_it_is(
    signed_in: Client, report: Json, job: Json, fake_backend: FakeBackend
) -> None:
    fake_backend.stop()
    assert signed_in.get(f"/reporting/{report['id']}/progress/", headers=HTMX).status_code == 204


def test_the_address_of_the_poll_leads_people_to_the_report(signed_in: Client, report: Json) -> None:
    response = signed_in.get(f"/reporting/{report['id']}/progress/")
    assert response.headers["Location"] == f"/reporting/{report['id']}/"


def test_cancelling_stops_the_job(signed_in: Client, report: Json, job: Json) -> None:
    response = signed_in.post(f"/reporting/{report['id']}/cancel/")
    assert response.headers["Location"] == f"/reporting/{report['id']}/"
    assert job["state"] == "cancelled"


def test_cancelling_too_late_is_said(signed_in: Client, report: Json, job: Json, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with(
        "POST", f"/api/jobs/{job['id']}/cancel/", refuse(409, "wrong_state", "It is done already.")
    )
    response = signed_in.post(f"/reporting/{report['id']}/cancel/", follow=True)
    assert "It is done already." in response.content.decode()


def test_retrying_queues_the_job_once(signed_in: Client, report: Json, job: Json, fake_backend: FakeBackend) -> None:
    signed_in.post(f"/reporting/{report['id']}/retry/", {"idempotency_key": KEY})
    assert job["state"] == "queued"
    assert fake_backend.calls_of("POST", f"/api/jobs/{job['id']}/retry/")[0].headers["idempotency-key"] == KEY


@pytest.mark.parametrize(("status", "code"), [(402, "insufficient_reserve"), (409, "wrong_state")])
def test_a_retry_that_is_refused_says_why(
    signed_in: Client, report: Json, job: Json, fake_backend: FakeBackend, status: int, code: str
) -> None:
    fake_backend.answer_with("POST", f"/api/jobs/{job['id']}/retry/", refuse(status, code, "Not now."))
    response = signed_in.post(f"/reporting/{report['id']}/retry/", follow=True)
    assert "Not now." in response.content.decode()


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_a_report_without_a_job_has_nothing_to_steer(signed_in: Client, report: Json, action: str) -> None:
    report |= {"job_id": None}
    assert signed_in.post(f"/reporting/{report['id']}/{action}/").status_code == 302


def test_a_report_can_be_renamed(signed_in: Client, report: Json) -> None:
    response = signed_in.post(f"/reporting/{report['id']}/rename/", {"title": "Autumn"}, follow=True)
    assert report["title"] == "Autumn"
    assert "The report has its new title." in response.content.decode()


@pytest.mark.parametrize("title", ["", "Refused"])
def test_a_title_that_is_refused_is_said_beside_the_field(
    signed_in: Client, report: Json, fake_backend: FakeBackend, title: str
) -> None:
    refusal = refuse(400, "invalid", "Please check.", {"title": ["Another one, please."]})
    fake_backend.answer_with("PATCH", f"/api/reports/{report['id']}/", refusal)
    response = signed_in.post(f"/reporting/{report['id']}/rename/", {"title": title})
    assert response.status_code == 400
    assert response.context["rename_form"].errors["title"]


def test_deleting_asks_first_and_names_the_report(signed_in: Client, report: Json) -> None:
    assert f"Delete “{report['title']}”?" in signed_in.get(f"/reporting/{report['id']}/delete/").content.decode()
    assert f"Delete “{report['title']}”?" in page_of(signed_in, report)


def test_a_deleted_report_leads_to_the_list(signed_in: Client, report: Json, fake_backend: FakeBackend) -> None:
    response = signed_in.post(f"/reporting/{report['id']}/delete/")
    assert response.headers["Location"] == "/reporting/"
    assert fake_backend.calls_of("DELETE", f"/api/reports/{report['id']}/")


def test_a_report_that_must_stay_has_no_delete(signed_in: Client, report: Json) -> None:
    report |= {"can_delete": False}
    assert f"/reporting/{report['id']}/delete/" not in page_of(signed_in, report)


@pytest.mark.parametrize(("kind", "content"), [("md", b"# Brag document"), ("pdf", b"%PDF-1.7 of the fake")])
def test_files_come_as_attachments(signed_in: Client, report: Json, kind: str, content: bytes) -> None:
    response = signed_in.get(f"/reporting/{report['id']}/download/{kind}/")
    assert b"".join(response.streaming_content) == content  # type: ignore[attr-defined]
    assert response.headers["Content-Disposition"] == f'attachment; filename="brag.{kind}"'
    assert response.headers["Content-Length"] == str(len(content))


def test_a_file_of_unknown_length_comes_without_one(signed_in: Client, report: Json, fake_backend: FakeBackend) -> None:
    chunked = b"4\r\nabcd\r\n0\r\n\r\n"
    headers = {"Content-Type": "text/markdown", "Content-Length": "", "Transfer-Encoding": "chunked"}
    fake_backend.answer_with("GET", f"/api/reports/{report['id']}/export/", Reply(body=chunked, headers=headers))
    response = signed_in.get(f"/reporting/{report['id']}/download/md/")
    assert "Content-Length" not in response.headers
    assert b"".join(response.streaming_content) == b"abcd"  # type: ignore[attr-defined]


def test_other_formats_are_not_offered(signed_in: Client, report: Json) -> None:
    assert signed_in.get(f"/reporting/{report['id']}/download/docx/").status_code == 404


def test_a_file_of_an_unfinished_report_is_refused_in_style(
    signed_in: Client, report: Json, fake_backend: FakeBackend
) -> None:
    refusal = refuse(409, "wrong_state", "This report is not ready.")
    fake_backend.answer_with("GET", f"/api/reports/{report['id']}/export/", refusal)
    response = signed_in.get(f"/reporting/{report['id']}/download/pdf/")
    assert response.status_code == 409
    assert "This report is not ready." in response.content.decode()
