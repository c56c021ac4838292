"""Ids of another tenant in the body of a call: refused, wherever a serializer takes an id."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from drf_spectacular.generators import SchemaGenerator

from apps.common.ids import uuid7
from apps.tenants.types import Actor
from apps.worklog.models import Employer, Project, WorkLog
from tests.api_client import client_for
from tests.factories.accounts import make_actor
from tests.factories.orchestration import begin_report, make_writer
from tests.factories.worklog import make_entry

pytestmark = [pytest.mark.django_db, pytest.mark.failure("T02")]

UNSAFE: Final = {"post", "put", "patch", "delete"}
SAMPLES: Final[dict[str, Any]] = {"date": "2026-10-01", "date-time": "2027-01-01T00:00:00Z", "email": "a@example.org"}


def resolve(schema: Any, known: Any) -> Any:
    while "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    for combined in ("allOf", "oneOf", "anyOf"):
        if combined in schema:
            return resolve(schema[combined][0], known)
    return schema


def sample(schema: Any, known: Any, identifier: str) -> Any:
    """A body that fits the schema, with `identifier` wherever it takes an id."""
    schema = resolve(schema, known)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next(item for item in kind if item != "null")
    if schema.get("format") == "uuid":
        return identifier
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object":
        return {name: sample(part, known, identifier) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [sample(schema["items"], known, identifier)]
    plain = {"integer": schema.get("minimum", 1), "number": 1, "boolean": False, "string": "text"}
    return SAMPLES.get(schema.get("format", ""), plain.get(str(kind)))


def takes_id(schema: Any, known: Any) -> bool:
    return "\x00" in str(sample(schema, known, "\x00")) or "\\x00" in str(sample(schema, known, "\x00"))


def list_calls() -> Iterator[tuple[str, str, Any, Any]]:
    """Method, address, schema of the body and all schemas, for each unsafe call whose body may hold an id."""
    generator: Any = SchemaGenerator
    document = generator().get_schema(request=None, public=True)
    known = document["components"]["schemas"]
    for address, methods in document["paths"].items():
        for method in UNSAFE & methods.keys():
            for content in methods[method].get("requestBody", {}).get("content", {}).values():
                if takes_id(content["schema"], known):
                    yield method, address, content["schema"], known


@pytest.fixture
def foreign_ids() -> list[str]:
    """Ids of everything that another tenant has."""
    writer = make_writer(entries=0)
    entry = make_entry(writer, employer="Acme", project="Apollo")
    make_entry(writer, "Second", occurred_on=entry.occurred_on)
    job = begin_report(writer, period_from=entry.occurred_on, period_to=entry.occurred_on)
    employer, project = Employer.objects.get(), Project.objects.get()
    return [str(value) for value in (entry.pk, employer.pk, project.pk, job.pk, job.subject_id, writer.user_id)]


def call(actor: Actor, method: str, address: str, body: Any) -> Any:
    path = address
    while "{" in path:
        path = f"{path.partition('{')[0]}{uuid7()}{path.partition('}')[2]}"
    return getattr(client_for(actor), method)(path, body, headers={"Idempotency-Key": str(uuid7())})


def test_a_foreign_id_is_refused_by_every_call_that_takes_one(foreign_ids: list[str]) -> None:
    actor, accepted, calls = make_actor(), [], list(list_calls())
    assert {address for _, address, _, _ in calls} >= {"/api/reports/", "/api/jobs/estimate/"}
    for method, address, schema, known in calls:
        for identifier in foreign_ids:
            answer = call(actor, method, address, sample(schema, known, identifier))
            assert answer.status_code < 500, (address, answer.content)
            if answer.status_code < 400:
                accepted.append((method, address, answer.content))
    assert accepted == []


REPORT: Final = {"kind": "brag_document", "period_from": "2026-10-01", "period_to": "2026-12-31"}


@pytest.mark.parametrize("address", ["/api/reports/", "/api/jobs/estimate/"])
def test_entries_of_another_tenant_are_not_told_from_unknown_ones(foreign_ids: list[str], address: str) -> None:
    """With a body that is right in all else, beside an entry of one's own."""
    actor = make_writer()
    own = str(WorkLog.objects.filter(tenant_id=actor.tenant).order_by("pk")[0].pk)

    def ask(*entries: str) -> Any:
        report = {**REPORT, "entry_ids": list(entries)}
        body = report if address == "/api/reports/" else {"kind": "report", "params": report}
        return call(actor, "post", address, body)

    assert ask(own).status_code < 300
    foreign, unknown = ask(own, foreign_ids[0]), ask(own, str(uuid7()))
    assert (foreign.status_code, unknown.status_code) in {(400, 400), (404, 404)}
    assert foreign.json()["code"] == unknown.json()["code"]
    assert foreign.json()["fields"] == unknown.json()["fields"]
