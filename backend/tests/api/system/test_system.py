"""Liveness, readiness, and the API's description of itself."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.migrations.executor import MigrationExecutor
from django.test import override_settings

from apps.api.system import probes
from apps.artifacts.storage import check_storage
from tests.api_client import anonymous


def test_a_living_process_says_so_without_asking_anybody() -> None:
    response = anonymous().get("/api/healthz/")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db(transaction=True)
def test_a_service_that_has_all_it_needs_is_ready() -> None:
    response = anonymous().get("/api/readyz/")
    assert response.json() == {"status": "ok", "checks": dict.fromkeys(probes.PROBES, "ok")}
    assert response.status_code == 200


@pytest.mark.failure("D13")
@pytest.mark.django_db(transaction=True)
def test_one_failing_probe_makes_the_service_not_ready_and_tells_strangers_no_cause(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(CELERY_BROKER_URL="redis://:secret@127.0.0.1:1/0"), caplog.at_level("DEBUG"):
        response = anonymous().get("/api/readyz/")
    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert response.json()["checks"]["broker"] == "failed"
    assert response.json()["checks"]["database"] == "ok"
    assert b"secret" not in response.content
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def run_one(probe: Callable[[], None]) -> str:
    return probes.run_probes(probes={"one": probe})["one"]


def wait_for(event: threading.Event) -> None:
    event.wait(10)


def test_a_stuck_probe_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "DEADLINE_SECONDS", 0.05)
    release = threading.Event()
    try:
        assert run_one(lambda: wait_for(release)) == "timeout"
    finally:
        release.set()


def fail() -> None:
    raise OSError("no")


def test_a_probe_that_raises_has_failed() -> None:
    assert run_one(fail) == "failed"


@pytest.mark.failure("D05")
@pytest.mark.django_db(transaction=True)
def test_a_missing_migration_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: ["one"])
    assert run_one(probes.check_migrations) == "failed"


def test_a_cache_that_forgets_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "cache", SimpleNamespace(set=lambda *a, **k: None, get=lambda key: None))
    assert run_one(probes.check_cache) == "failed"


def test_a_storage_that_garbles_is_seen_and_left_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.artifacts.storage.ContentFile", lambda content: ContentFile(b"other"))
    assert run_one(check_storage) == "failed"
    assert default_storage.listdir("probes")[1] == []


@pytest.fixture(scope="module")
def document() -> Any:
    return yaml.safe_load(anonymous().get("/api/schema/").content)


def test_the_description_is_openapi_3_1(document: Any) -> None:
    assert document["openapi"] == "3.1.0"


def list_described(document: Any) -> list[Any]:
    return [
        operation for path in document["paths"].values() for method, operation in path.items() if method != "parameters"
    ]


def test_every_operation_describes_how_it_fails(document: Any) -> None:
    operations = list_described(document)
    assert operations
    for operation in operations:
        assert set(operation["responses"]) >= {"400", "406", "414", "429", "503"}
        assert any(code < "300" for code in operation["responses"])
        # Whoever is not told in advance which answers there are cannot be told that one is wrong.
        assert "default" not in operation["responses"]
    for answer in document["components"]["responses"].values():
        content = answer["content"]["application/json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Error"}


def test_what_needs_a_token_says_what_happens_without_one(document: Any) -> None:
    closed = [operation for operation in list_described(document) if any(operation.get("security", []))]
    assert len(closed) > 50
    assert all({"401", "403"} <= set(operation["responses"]) for operation in closed)


def test_answers_lead_to_the_operations_on_what_they_name(document: Any) -> None:
    links = document["paths"]["/api/worklogs/"]["post"]["responses"]["201"]["links"]
    assert {"worklogs_retrieve", "worklogs_update", "worklogs_delete", "worklogs_restore"} <= set(links)
    assert links["worklogs_delete"]["parameters"] == {"entry_id": "$response.body#/id"}
    known = {operation["operationId"] for operation in list_described(document)}
    for operation in list_described(document):
        for answer in operation["responses"].values():
            assert set(answer.get("links", {})) <= known


def test_open_operations_are_described_as_open(document: Any) -> None:
    assert document["paths"]["/api/auth/token/"]["post"].get("security", [{}]) in ([], [{}])
    assert {"token": []} in document["paths"]["/api/me/"]["get"]["security"]


def test_operations_that_may_be_repeated_take_a_key(document: Any) -> None:
    parameters = document["paths"]["/api/admin/passkeys/"]["post"]["parameters"]
    assert [parameter["name"] for parameter in parameters] == ["Idempotency-Key"]


def test_the_reference_page_runs_on_files_of_our_own_alone() -> None:
    page = anonymous().get("/api/docs/", headers={"Accept": "text/html"})
    assert page.status_code == 200
    html = page.content.decode()
    assert "http://" not in html
    assert "https://" not in html
    assert "<script>" not in html
    assert "script-src 'self';" in page["Content-Security-Policy"]


def test_the_script_of_the_reference_page_is_a_file_of_its_own() -> None:
    script = anonymous().get("/api/docs/?script=")
    assert script["Content-Type"] == "application/javascript"
    assert "/api/schema/" in script.content.decode()
