"""Fields that nobody asked for, beside a valid body of every operation: they change nothing anywhere."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import pytest

from tests.api_journey import Traveller
from tests.fuzz.contract import BODIES, OPERATIONS, Operation
from tests.fuzz.product import Product

pytestmark = pytest.mark.failure("T03")

TAKING: Final = [operation for operation in OPERATIONS if operation.takes_body]
# A number that is nowhere else.
ODD: Final = 987_654_321


def forge(product: Product) -> Mapping[str, Any]:
    """What somebody would set who could: another tenant, a rank, money, another author."""
    b = product.b.ids
    return {
        **dict.fromkeys(("tenant", "tenant_id"), b["tenant_id"]),
        **dict.fromkeys(("user", "user_id", "author", "author_id", "granted_by", "created_by"), b["owner_id"]),
        **dict.fromkeys(("is_staff", "is_superuser", "is_email_verified", "has_second_factor"), True),
        **dict.fromkeys(("balance", "balance_micros", "cost", "cost_micros", "amount_micros", "price"), ODD),
        **dict.fromkeys(("low_balance_floor_micros", "promo_credit_cents", "estimate_micros"), ODD),
        "id": b["entry_id"],
        "member_since": "1999-01-01",
        "state": "succeeded",
    }


def read_facts(product: Product) -> dict[str, Any]:
    """What nobody may move by a field: rank, tenant and money of both, and who is staff."""
    facts: dict[str, Any] = {}
    for tenant in (product.a, product.b):
        me = tenant.owner.call("GET", "/api/me/", expect=200)
        facts[tenant.name] = {
            "is_staff": me["is_staff"],
            "tenant": tenant.owner.call("GET", "/api/tenant/", expect=200)["id"],
            "balance": tenant.owner.read_balance(),
        }
    staff = product.staff.call("GET", "/api/admin/users/?is_staff=true", expect=200)
    facts["staff"] = [row["username"] for row in staff["results"]]
    return facts


def choose_caller(product: Product, operation: Operation) -> Traveller:
    return product.staff if operation.is_for_staff else product.a.owner


def test_every_operation_with_a_body_has_a_valid_one() -> None:
    assert set(BODIES) == {operation.id for operation in TAKING}


@pytest.mark.parametrize("operation", TAKING, ids=lambda operation: operation.id)
def test_fields_beside_the_valid_ones_are_ignored_or_refused(product: Product, operation: Operation) -> None:
    before = read_facts(product)
    forged = {name: value for name, value in forge(product).items() if name not in operation.fields}
    # Staff and owner act on the member of tenant A, and what needs a person of the tenant is given a foreign one.
    ids = {"key_id": product.a.ids["entry_id"], **product.a.ids}
    own = {"tenant": ids["tenant_id"], "member": product.b.ids["user_id"]}
    body = {**forged, **BODIES[operation.id], **{name: own[name] for name in own.keys() & operation.fields}}
    answer = choose_caller(product, operation).http.request(
        operation.method, operation.address(ids), json=body, headers={"Idempotency-Key": str(uuid4())}
    )
    assert answer.status_code < 500
    assert str(ODD) not in answer.text
    assert product.b.ids["tenant_id"] not in answer.text
    if operation.id == "billing_admin_reserve_adjust":
        before["anna"]["balance"] += 1_000_000
    assert read_facts(product) == before
