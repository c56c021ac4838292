"""Jobs over HTTP."""

from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from tests.api_client import anonymous, client_for, with_key
from tests.factories.accounts import make_actor
from tests.factories.orchestration import FIRST_DAY, LAST_DAY, begin_report, make_writer, set_policy, work

pytestmark = pytest.mark.django_db

PARAMS = {"kind": "brag_document", "period_from": str(FIRST_DAY), "period_to": str(LAST_DAY)}
ESTIMATE = {"kind": "report", "params": PARAMS}


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_sees_jobs_without_a_token(method: str) -> None:
    job = begin_report(make_writer(entries=1))
    paths = {"get": ["", f"{job.pk}/", f"{job.pk}/events/"], "post": ["estimate/", f"{job.pk}/cancel/"]}[method]
    for path in paths:
        answer = getattr(anonymous(), method)(f"/api/jobs/{path}")
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_a_job_is_not_found_by_another_person_even_of_the_same_tenant() -> None:
    actor = make_writer(entries=1)
    job = begin_report(actor)
    for stranger in (make_actor(), make_actor(tenant=actor.tenant)):
        client = client_for(stranger)
        assert client.get(f"/api/jobs/{job.pk}/").status_code == 404
        assert client.get(f"/api/jobs/{job.pk}/events/").status_code == 404
        assert client.post(f"/api/jobs/{job.pk}/cancel/").status_code == 404
        assert client.post(f"/api/jobs/{job.pk}/retry/").status_code == 404
        assert client.get("/api/jobs/").json()["results"] == []


def test_a_finished_job_shows_its_steps_and_its_cost() -> None:
    actor = make_writer(entries=1)
    job = work(begin_report(actor))
    shown = client_for(actor).get(f"/api/jobs/{job.pk}/").json()
    assert (shown["state"], shown["progress"], shown["cost_micros"]) == ("succeeded", 100, job.cost_micros)
    assert [step["state"] for step in shown["steps"]] == ["succeeded", "succeeded"]
    assert (shown["can_cancel"], shown["can_retry"], shown["report_id"]) == (False, False, str(job.subject_id))


def test_a_job_under_way_has_no_cost_yet() -> None:
    actor = make_writer(entries=1)
    shown = client_for(actor).get(f"/api/jobs/{begin_report(actor).pk}/").json()
    assert (shown["state"], shown["progress"], shown["cost_micros"], shown["can_cancel"]) == ("queued", 0, None, True)


def test_the_list_can_be_narrowed_and_takes_few_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    actor = make_writer(entries=1)
    done = work(begin_report(actor))
    for _ in range(3):
        begin_report(actor)
    client = client_for(actor)
    client.get("/api/jobs/")
    # The token with its person, the jobs, their steps.
    with django_assert_num_queries(3):
        assert len(client.get("/api/jobs/").json()["results"]) == 4
    narrowed = client.get("/api/jobs/", {"state": "succeeded"}).json()["results"]
    assert [job["id"] for job in narrowed] == [str(done.pk)]
    assert client.get("/api/jobs/", {"state": "dancing"}).status_code == 400


def test_events_tell_what_happened_in_order() -> None:
    actor = make_writer(entries=1)
    job = work(begin_report(actor))
    events = client_for(actor).get(f"/api/jobs/{job.pk}/events/").json()["results"]
    assert [event["name"] for event in events][:3] == ["job.queued", "job.running", "step.running"]
    assert events[-1]["name"] == "job.succeeded"


def test_cancelling_twice_is_answered_as_a_state_that_does_not_allow_it() -> None:
    actor = make_writer(entries=1)
    job, client = begin_report(actor), client_for(actor)
    assert client.post(f"/api/jobs/{job.pk}/cancel/").json()["state"] == "cancelled"
    answer = client.post(f"/api/jobs/{job.pk}/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_cancelling_with_a_key_can_be_repeated() -> None:
    actor = make_writer(entries=1)
    job, client = begin_report(actor), client_for(actor)
    first = client.post(f"/api/jobs/{job.pk}/cancel/", **with_key("k"))
    again = client.post(f"/api/jobs/{job.pk}/cancel/", **with_key("k"))
    assert (again.status_code, again.content) == (200, first.content)


def test_a_job_that_has_not_failed_cannot_be_retried() -> None:
    actor = make_writer(entries=1)
    answer = client_for(actor).post(f"/api/jobs/{begin_report(actor).pk}/retry/")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_a_failed_job_is_taken_up_again(settings: Settings) -> None:
    settings.FAILPOINTS = {"before_llm_send": "raise"}
    actor = make_writer(entries=1)
    job = work(begin_report(actor))
    settings.FAILPOINTS = {}
    client = client_for(actor)
    assert client.get(f"/api/jobs/{job.pk}/").json()["can_retry"] is True
    answer = client.post(f"/api/jobs/{job.pk}/retry/")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert work(job).state == "succeeded"


def test_an_estimate_names_the_writer_the_ceiling_and_what_is_left() -> None:
    actor = make_writer()
    estimate = client_for(actor).post("/api/jobs/estimate/", ESTIMATE).json()
    assert estimate["writer"] == {"provider": "builtin", "model": "builtin-writer-1", "label": "Built-in writer"}
    assert estimate["at_most_micros"] == round(float(estimate["at_most_dollars"]) * 1_000_000)
    assert (estimate["entries"], estimate["available_micros"], estimate["is_affordable"]) == (3, 5_000_000, True)


def test_an_estimate_says_when_the_reserve_does_not_cover_it() -> None:
    actor = make_writer(credit_micros=1)
    set_policy(actor, "block")
    estimate = client_for(actor).post("/api/jobs/estimate/", ESTIMATE).json()
    assert estimate["is_affordable"] is False
    assert estimate["reason"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "poem"}, "params.kind"),
        ({"period_to": "2026-01-01"}, "params.period_to"),
        ({"period_from": "yesterday"}, "params.period_from"),
        ({"entry_ids": []}, "params.entry_ids"),
        ({"entry_ids": ["x"]}, "params.entry_ids.0"),
        ({"title": "x" * 201}, "params.title"),
    ],
)
def test_a_bad_wish_is_answered_by_the_field_that_is_wrong(change: dict[str, object], field: str) -> None:
    answer = client_for(make_writer(entries=1)).post("/api/jobs/estimate/", ESTIMATE | {"params": PARAMS | change})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert field in answer.json()["fields"]


def test_unknown_entries_are_refused() -> None:
    params = PARAMS | {"entry_ids": [str(uuid4())]}
    answer = client_for(make_writer(entries=1)).post("/api/jobs/estimate/", ESTIMATE | {"params": params})
    assert (answer.status_code, "entry_ids" in answer.json()["fields"]) == (400, True)
