from django.test import Client

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend


def test_a_newcomer_is_shown_three_steps(signed_in: Client) -> None:
    page = signed_in.get("/").content.decode()
    assert all(step in page for step in ("Write one thing down", "Say what changed", "Turn it into a document"))
    assert "Nothing written down yet" in page


def test_work_reserve_jobs_and_reports_are_on_one_page(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.entries.extend([shapes.entry("Shipped it"), shapes.entry("Met the board", impact="")])
    fake_backend.jobs.extend([shapes.job("running", title="Autumn brag"), shapes.job("succeeded", title="Done one")])
    fake_backend.reports.append(shapes.report(fake_backend.entries[:1], title="Spring brag"))
    page = signed_in.get("/").content.decode()
    assert all(
        part in page for part in ("Shipped it", "What changed because of it?", "$4.20", "Autumn brag", "Spring brag")
    )
    assert "Done one" not in page
    assert "Write one thing down" not in page


def test_it_renews_itself_when_an_entry_is_saved_or_a_job_ends(signed_in: Client) -> None:
    page = signed_in.get("/").content.decode()
    assert 'hx-trigger="worklog-changed from:body, job-finished from:body" hx-select="#overview"' in page


def test_it_takes_five_calls_side_by_side(signed_in: Client, fake_backend: FakeBackend) -> None:
    signed_in.get("/")
    assert len(fake_backend.received) == 5


def test_what_a_person_wrote_is_text_and_never_markup(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.entries.append(shapes.entry("<img src=x onerror=alert(1)>"))
    assert b"<img src=x" not in signed_in.get("/").content
