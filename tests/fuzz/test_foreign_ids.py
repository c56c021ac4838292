"""Tenant A asks for everything of tenant B by B's own ids, and finds nothing; B finds everything as it was."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest

from tests.api_journey import Traveller
from tests.fuzz.contract import BODIES, OPERATIONS, Operation
from tests.fuzz.product import MARKER, Product

pytestmark = pytest.mark.failure("T01")

ADDRESSED: Final = [operation for operation in OPERATIONS if operation.parameters]
READABLE: Final = [operation for operation in OPERATIONS if operation.method == "GET" and not operation.parameters]
# These change with the time, or because somebody looks.
MOVING: Final = frozenset(
    {
        *("auth_sessions_list", "auth_tokens_list", "readyz_retrieve", "dutyz_retrieve"),
        *("status_bar", "me_delete_preview", "tenant_members_list"),
    }
)
# Words of B's that a filter could take.
FILTERS: Final = {
    "employer": f"Employer {MARKER}",
    "project": f"Project {MARKER}",
    "tag": f"tag{MARKER}",
    "q": MARKER,
    "actor": "berta",
}


@pytest.fixture(scope="module")
def ids(product: Product) -> dict[str, str]:
    """B's things; a security key, a certificate and a message of Stripe's, of which B has none, are somebody else's."""
    return {"key_id": str(uuid4()), "message_id": str(uuid4()), "token": "nobodysuniquetoken", **product.b.ids}


def read_all(person: Traveller) -> Iterator[tuple[str, str]]:
    for operation in READABLE:
        if operation.id not in MOVING:
            answer = person.http.get(operation.path)
            yield operation.id, "" if answer.status_code == 403 else answer.text


def send(person: Traveller, operation: Operation, ids: dict[str, str], **extra: Any) -> Any:
    body = {**BODIES[operation.id], **extra} if operation.takes_body else None
    return person.http.request(operation.method, operation.address(ids), json=body)


def test_every_parameter_of_an_address_has_something_of_tenant_b(ids: dict[str, str]) -> None:
    assert {name for operation in ADDRESSED for name in operation.parameters} <= set(ids)
    assert len(ADDRESSED) > 30


def test_by_no_address_is_anything_of_another_tenant_reached(product: Product, ids: dict[str, str]) -> None:
    before = dict(read_all(product.b.owner))
    for operation in ADDRESSED:
        answer = send(product.a.owner, operation, ids)
        assert answer.status_code in {400, 403, 404}, f"{operation.id}: {answer.status_code} {answer.text}"
        assert MARKER not in answer.text, operation.id
    assert dict(read_all(product.b.owner)) == before


def test_the_owner_of_the_same_ids_reaches_them(product: Product, ids: dict[str, str]) -> None:
    """The test above would hold for ids of nothing."""
    reached = {
        operation.id: product.b.owner.http.get(operation.address(ids), params={"format": "md"}).status_code
        for operation in ADDRESSED
        if operation.method == "GET" and not operation.is_for_staff and "token" not in operation.parameters
    }
    assert set(reached.values()) == {200}, reached


@pytest.mark.parametrize(
    ("operation_id", "field", "thing"),
    [("tenant_transfer", "member", "user_id"), ("reports_create", "entry_ids", "entry_id")],
)
def test_no_body_can_name_anything_of_another_tenant(
    product: Product, ids: dict[str, str], operation_id: str, field: str, thing: str
) -> None:
    operation = next(operation for operation in OPERATIONS if operation.id == operation_id)
    value = [ids[thing]] if field.endswith("s") else ids[thing]
    answer = send(product.a.owner, operation, ids, **{field: value})
    assert answer.status_code in {400, 403, 404}, answer.text
    assert MARKER not in answer.text


def test_no_list_and_no_filter_shows_anything_of_another_tenant(product: Product) -> None:
    for operation in READABLE:
        for query in ({}, *({name: value} for name, value in FILTERS.items()), {"target_id": product.b.ids["user_id"]}):
            answer = product.a.owner.http.get(operation.path, params=query)
            # Links to further pages repeat what was asked for.
            text = answer.text.replace(f"Employer%20{MARKER}", "")
            assert answer.status_code < 500 or operation.id == "dutyz_retrieve"
            assert not any(f"{word} {MARKER}" in text for word in ("Person", "Tenant", "Wrote", "Token")), operation.id


def test_everybody_finds_their_own_mark(product: Product) -> None:
    """The mark is there to be found."""
    assert MARKER in product.b.owner.http.get("/api/worklogs/").text
    assert MARKER not in product.a.owner.http.get("/api/worklogs/").text
