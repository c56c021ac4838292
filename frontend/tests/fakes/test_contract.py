"""The fake keeps the contract: each of its answers against the exported OpenAPI document."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.fakes import shapes
from tests.fakes.backend import FakeBackend, seed

CONTRACT = Path(__file__).resolve().parents[3] / "contracts" / "openapi.yaml"
READS = [
    "/api/me/",
    "/api/status/bar/",
    "/api/worklogs/",
    "/api/worklogs/{entry_id}/",
    "/api/worklogs/defaults/",
    "/api/employers/",
    "/api/projects/",
    "/api/tags/",
    "/api/reports/",
    "/api/reports/{report_id}/",
    "/api/jobs/",
    "/api/jobs/{job_id}/",
    "/api/jobs/{job_id}/events/",
    "/api/billing/reserve/balance/",
    "/api/billing/reserve/ledger/",
    "/api/billing/usage/",
    "/api/billing/profile/",
]
PERIOD = {"kind": "brag_document", "period_from": "2026-09-01", "period_to": "2026-11-30"}
WRITES = [
    ("/api/auth/token/", {"username": "ada", "password": "correct horse"}, 200),
    (
        "/api/auth/signup/",
        {"username": "bea", "email": "b@example.com", "password": "x", "passkey": "good-passkey-0001"},
        201,
    ),
    ("/api/worklogs/", {"title": "Shipped"}, 201),
    ("/api/worklogs/parse/", {"line": "Shipped @acme !2h"}, 200),
    ("/api/jobs/estimate/", {"kind": "report", "params": PERIOD}, 200),
    ("/api/reports/", PERIOD, 202),
]


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CONTRACT.read_text())
    return loaded


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    fake = FakeBackend()
    fake.start()
    seed(fake)
    fake.reports.append(shapes.report(fake.entries[:2], state="pending", document=None))
    with httpx.Client(base_url=fake.url, headers={"Authorization": f"Token {fake.issue_token()}"}) as client:
        yield client
    fake.stop()


def problems(contract: dict[str, Any], *, path: str, method: str, status: int, answer: Any) -> list[str]:
    described = contract["paths"][path][method]["responses"][str(status)]
    schema = described["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": contract["components"]})
    return [f"{error.json_path}: {error.message[:120]}" for error in validator.iter_errors(answer)]


@pytest.mark.parametrize("path", READS)
def test_what_the_fake_says_is_in_the_contract(path: str, contract: dict[str, Any], browser: httpx.Client) -> None:
    address = path
    if "{" in path:
        listed = browser.get(path.split("{", maxsplit=1)[0]).json()["results"]
        address = f"{path.split('{', maxsplit=1)[0]}{listed[0]['id']}{path.split('}')[1]}"
    answer = browser.get(address)
    assert answer.status_code == 200
    assert problems(contract, path=path, method="get", status=200, answer=answer.json()) == []


@pytest.mark.parametrize(("path", "body", "status"), WRITES)
def test_what_the_fake_makes_is_in_the_contract(
    path: str, body: dict[str, Any], status: int, contract: dict[str, Any], browser: httpx.Client
) -> None:
    answer = browser.post(path, json=body)
    assert answer.status_code == status
    assert problems(contract, path=path, method="post", status=status, answer=answer.json()) == []
