"""Whatever is sent, the worklog answers it: no input makes it crash."""

import json
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.tenants.types import Actor
from tests.api_client import client_for, with_key
from tests.factories.accounts import make_actor
from tests.factories.worklog import make_entry

pytestmark = pytest.mark.django_db

FIELDS = [
    "title",
    "occurred_on",
    "body",
    "employer",
    "project",
    "role",
    "tags",
    "impact",
    "impact_metric",
    "impact_before",
    "impact_after",
    "impact_unit",
    "hours",
    "visibility",
    "status",
    "version",
    "line",
    "name",
]
FILTERS = ["q", "from", "to", "employer", "project", "tag", "lacks_impact", "status", "ordering", "cursor", "page_size"]
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
plausible = st.sampled_from(
    ["2026-01-01", "0001-01-01", "9999-12-31", "1e400", "-0", "NaN", "private", "draft", "\ud800"]
)
values = st.recursive(
    plain | plausible, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)
bodies = st.dictionaries(st.sampled_from(FIELDS), values) | values

tries = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@tries
@given(body=bodies)
@pytest.mark.parametrize("target", ["", "parse/", "{entry}/"])
def test_no_body_crashes_it(actor: Actor, target: str, body: Any) -> None:
    entry = make_entry(actor)
    method = client_for(actor).patch if "entry" in target else client_for(actor).post
    # Escapes let through what could not be encoded, such as half of a surrogate pair.
    text = json.dumps(body, ensure_ascii=True)

    url = f"/api/worklogs/{target.format(entry=entry.id)}"
    answer = method(url, text, content_type="application/json", **with_key(str(uuid4())))
    assert answer.status_code in {200, 201, 400, 409}


@tries
@given(query=st.dictionaries(st.sampled_from(FILTERS), plausible | st.text()))
def test_no_filter_crashes_it(actor: Actor, query: dict[str, str]) -> None:
    sendable = {name: value.encode(errors="replace").decode() for name, value in query.items()}

    assert client_for(actor).get("/api/worklogs/", sendable).status_code in {200, 400}
