"""Exports over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts.types import TokenKind
from apps.common import clock
from apps.observability.models import AuditEvent
from apps.orchestration.models import DataExport, Job
from apps.orchestration.services import exports
from apps.tenants.types import Actor, Role
from tests.api_client import Client, anonymous, client_for, with_key
from tests.factories.accounts import make_actor
from tests.factories.mydata import begin_export, make_export, read_archive
from tests.factories.orchestration import work

pytestmark = pytest.mark.django_db


def address_of(export: DataExport) -> str:
    return f"/api/me/exports/{export.pk}/download/"


def download(client: Client, export: DataExport) -> Any:
    return client.get(address_of(export))


def read(answer: Any) -> bytes:
    """The file that came. (To close the answer itself would end the test's connection too.)"""
    content = b"".join(answer.streaming_content)
    for close in answer._resource_closers:
        close()
    return content


def test_asking_answers_with_a_job_that_makes_no_report() -> None:
    actor = make_actor()
    client = client_for(actor)
    answer = client.post("/api/me/export/")
    assert answer.status_code == 202
    job = answer.json()
    assert (job["kind"], job["state"], job["estimate_micros"], job["report_id"]) == ("export", "queued", 0, None)
    assert [step["name"] for step in job["steps"]] == ["gather", "write", "finish"]
    assert client.get(f"/api/jobs/{job['id']}/").json()["kind"] == "export"


def test_asking_again_gets_the_running_one_with_a_key_or_without() -> None:
    client = client_for(make_actor())
    first = client.post("/api/me/export/", **with_key("a")).json()["id"]
    assert client.post("/api/me/export/", **with_key("a"))["Idempotent-Replayed"] == "true"
    assert client.post("/api/me/export/", **with_key("b")).json()["id"] == first
    assert client.post("/api/me/export/").json()["id"] == first


def test_the_list_tells_what_can_be_fetched_and_until_when() -> None:
    actor = make_actor()
    client = client_for(actor)
    job = begin_export(actor)
    [pending] = client.get("/api/me/exports/").json()["results"]
    assert (pending["state"], pending["size_bytes"], pending["sha256"], pending["job_id"]) == (
        "pending", None, None, str(job.pk),
    )  # fmt: skip
    work(job)
    [ready] = client.get("/api/me/exports/").json()["results"]
    assert ready.keys() == {"id", "job_id", "state", "size_bytes", "sha256", "created_at", "expires_at"}
    assert (ready["state"], len(ready["sha256"])) == ("ready", 64)


def test_the_file_comes_as_an_attachment_that_nobody_keeps() -> None:
    actor = make_actor()
    export = make_export(actor)
    answer = download(client_for(actor), export)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith('attachment; filename="afterresume-export-')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Length"] == str(export.size_bytes)
    assert answer.streaming
    assert "manifest.json" in read_archive(read(answer))


def test_a_download_is_audited() -> None:
    actor = make_actor()
    read(download(client_for(actor), make_export(actor)))
    assert AuditEvent.objects.get(action="export.downloaded").actor_id == actor.user_id


@pytest.mark.failure("T13", "T14")
def test_a_link_that_was_passed_on_opens_nothing() -> None:
    actor = make_actor()
    export = make_export(actor)
    assert download(anonymous(), export).status_code == 401
    for stranger in (make_actor(), make_actor(tenant=actor.tenant, role=Role.MEMBER), make_actor(is_staff=True)):
        client = client_for(stranger)
        assert download(client, export).status_code == 404
        assert client.get("/api/me/exports/").json()["results"] == []
        assert client.get(f"/api/jobs/{export.job_id}/").status_code == 404


@pytest.mark.failure("T14")
def test_a_link_is_closed_when_its_time_is_over_even_before_the_duty_has_run() -> None:
    actor = make_actor()
    export = make_export(actor)
    DataExport.objects.filter(pk=export.pk).update(expires_at=clock.now())
    answer = download(client_for(actor), export)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert exports.expire_exports(now=clock.now()) == 1
    assert download(client_for(actor), export).json()["code"] == "wrong_state"


def test_an_export_that_is_not_ready_cannot_be_fetched() -> None:
    actor = make_actor()
    begin_export(actor)
    assert download(client_for(actor), DataExport.objects.get()).json()["code"] == "wrong_state"


def test_a_file_that_is_gone_is_not_found() -> None:
    actor = make_actor()
    export = make_export(actor)
    exports.purge_rows(rows=[export], now=clock.now())
    assert download(client_for(actor), export).status_code == 404


@pytest.mark.parametrize(
    ("kind", "age", "code"),
    [
        (TokenKind.PERSONAL, timedelta(), "session_required"),
        (TokenKind.SESSION, timedelta(minutes=16), "reauthentication_required"),
    ],
)
def test_only_a_person_who_has_just_proved_who_they_are_may_ask(kind: TokenKind, age: timedelta, code: str) -> None:
    client = client_for(make_actor(), kind=kind, authenticated_at=clock.now() - age)
    answer = client.post("/api/me/export/")
    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert not Job.objects.exists()


def test_a_personal_token_fetches_nothing() -> None:
    actor = make_actor()
    client = client_for(actor, kind=TokenKind.PERSONAL)
    assert download(client, make_export(actor)).json()["code"] == "session_required"
    assert client.get("/api/me/exports/").json()["code"] == "session_required"


def test_the_list_takes_the_same_number_of_queries_however_long(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    actor: Actor = make_actor()
    client = client_for(actor)
    make_export(actor)
    make_export(actor)
    # The token with its person, and the page.
    with django_assert_max_num_queries(4):
        assert len(client.get("/api/me/exports/").json()["results"]) == 2
