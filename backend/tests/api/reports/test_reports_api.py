"""Reports over HTTP."""

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.orchestration.models import Job
from apps.tenants.types import Actor
from tests.api_client import anonymous, client_for, with_key
from tests.factories.accounts import make_actor
from tests.factories.orchestration import FIRST_DAY, LAST_DAY, begin_report, make_writer, set_policy, work

pytestmark = pytest.mark.django_db

PARAMS = {"kind": "brag_document", "period_from": str(FIRST_DAY), "period_to": str(LAST_DAY)}


def ready_report(actor: Actor) -> str:
    return f"/api/reports/{work(begin_report(actor)).subject_id}/"


def test_nobody_sees_reports_without_a_token() -> None:
    address = ready_report(make_writer(entries=1))
    for path in ("/api/reports/", address, f"{address}export/?format=pdf"):
        assert anonymous().get(path).status_code == 401


def test_a_report_is_not_found_by_anybody_else() -> None:
    actor = make_writer(entries=1)
    address = ready_report(actor)
    for stranger in (make_actor(), make_actor(tenant=actor.tenant)):
        client = client_for(stranger)
        assert client.get(address).status_code == 404
        assert client.get(f"{address}export/", {"format": "md"}).status_code == 404
        assert client.patch(address, {"title": "Mine"}).status_code == 404
        assert client.delete(address).status_code == 404


def test_asking_answers_with_the_report_and_its_job() -> None:
    answer = client_for(make_writer()).post("/api/reports/", PARAMS)
    assert answer.status_code == 202
    report, job = answer.json()["report"], answer.json()["job"]
    assert (report["state"], report["job_id"], report["document"]) == ("pending", job["id"], None)
    assert (job["state"], job["report_id"]) == ("queued", report["id"])
    assert report["estimate_micros"] == job["estimate_micros"] > 0


def test_a_repeated_wish_starts_one_job_and_gets_the_first_answer() -> None:
    client = client_for(make_writer())
    first = client.post("/api/reports/", PARAMS, **with_key("k"))
    again = client.post("/api/reports/", PARAMS, **with_key("k"))
    assert (again.status_code, again.content) == (202, first.content)
    assert again["Idempotent-Replayed"] == "true"
    other = client.post("/api/reports/", PARAMS | {"title": "Other"}, **with_key("k"))
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    assert Job.objects.count() == 1


def test_a_reserve_that_does_not_cover_it_is_402() -> None:
    actor = make_writer(credit_micros=1)
    set_policy(actor, "block")
    answer = client_for(actor).post("/api/reports/", PARAMS)
    assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_reserve")
    assert not Job.objects.exists()


def test_an_empty_choice_is_refused_by_its_field() -> None:
    answer = client_for(make_writer(entries=0)).post("/api/reports/", PARAMS)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["entry_ids"])


def test_a_ready_report_shows_each_bullet_with_its_entries_and_what_it_cost() -> None:
    actor = make_writer()
    report = client_for(actor).get(ready_report(actor)).json()
    known = {entry["id"] for entry in report["entries"]}
    bullets = [bullet for section in report["document"]["sections"] for bullet in section["bullets"]]
    assert bullets
    assert all(bullet["text"] and set(bullet["entry_ids"]) <= known for bullet in bullets)
    assert 0 < report["cost_micros"] <= report["estimate_micros"]


def test_the_list_leaves_out_documents_and_takes_few_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    actor = make_writer(entries=1)
    for _ in range(3):
        work(begin_report(actor))
    client = client_for(actor)
    client.get("/api/reports/")
    # The token with its person, the reports, their jobs' costs.
    with django_assert_num_queries(3):
        rows = client.get("/api/reports/").json()["results"]
    assert len(rows) == 3
    assert {"document", "entries"}.isdisjoint(rows[0])
    assert rows[0]["cost_micros"] > 0


@pytest.mark.parametrize(
    ("extension", "content_type", "beginning"),
    [
        ("pdf", "application/pdf", b"%PDF-"),
        ("md", "text/markdown; charset=utf-8", b"# "),
        ("json", "application/json", b"{"),
    ],
)
def test_a_report_is_downloaded_as_an_attachment(extension: str, content_type: str, beginning: bytes) -> None:
    actor = make_writer()
    answer = client_for(actor).get(f"{ready_report(actor)}export/", {"format": extension})
    assert (answer.status_code, answer["Content-Type"]) == (200, content_type)
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert answer.content.startswith(beginning)


def test_an_unknown_form_of_export_is_refused() -> None:
    actor = make_writer(entries=1)
    address = ready_report(actor)
    for query in ({"format": "exe"}, {}):
        assert client_for(actor).get(f"{address}export/", query).status_code == 400


def test_a_report_that_is_not_ready_cannot_be_downloaded_or_deleted() -> None:
    actor = make_writer(entries=1)
    address, client = f"/api/reports/{begin_report(actor).subject_id}/", client_for(actor)
    answers = [client.get(f"{address}export/", {"format": "pdf"}), client.delete(address)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(409, "wrong_state")] * 2


def test_a_report_is_renamed_and_its_exports_carry_the_new_name() -> None:
    actor = make_writer(entries=1)
    address, client = ready_report(actor), client_for(actor)
    assert client.patch(address, {"title": "My year"}).json()["document"]["title"] == "My year"
    assert client.get(f"{address}export/", {"format": "md"}).content.startswith(b"# My year")
    assert client.patch(address, {"title": " "}).status_code == 400


def test_a_deleted_report_is_gone() -> None:
    actor = make_writer(entries=1)
    address, client = ready_report(actor), client_for(actor)
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert client.get("/api/reports/").json()["results"] == []
