"""Billing settings and corrections by staff over HTTP."""

from typing import Any

import pytest

from apps.billing.models import BillingAuditLog, ReserveLedgerEntry
from apps.common.ids import uuid7
from apps.common.money import MAX_ABS_MICROS
from apps.tenants.types import Actor, Role
from tests.api_client import anonymous, client_for, with_key
from tests.factories.accounts import make_actor, make_staff
from tests.factories.billing import get_account

pytestmark = pytest.mark.django_db

PROFILE = "/api/billing/profile/"
ADJUST = "/api/billing/admin/reserve/adjust/"


def test_an_owner_sets_threshold_and_mail() -> None:
    wish = {"low_balance_threshold_micros": 5, "billing_email": "money@example.org"}
    answer = client_for(make_actor()).patch(PROFILE, wish)
    assert answer.status_code == 200
    assert wish.items() <= answer.json().items()


def test_a_member_may_read_but_not_change_settings() -> None:
    member = make_actor(tenant=make_actor().tenant, role=Role.MEMBER)
    assert client_for(member).get(PROFILE).status_code == 200
    answer = client_for(member).patch(PROFILE, {"low_balance_threshold_micros": 5})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "wish",
    [
        {"low_balance_threshold_micros": -1},
        {"low_balance_threshold_micros": MAX_ABS_MICROS + 1},
        {"low_balance_threshold_micros": "NaN"},
        {"policy": "generous"},
        {"billing_email": "nobody"},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wish: dict[str, Any]) -> None:
    answer = client_for(make_actor()).patch(PROFILE, wish)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, list(wish))


def test_what_a_customer_may_not_set_is_ignored() -> None:
    actor = make_actor()
    wish = {"plan": "enterprise", "stripe_customer_id": "cus_1", "balance_micros": 10**9, "floor_micros": -(10**9)}
    assert client_for(actor).patch(PROFILE, wish).json()["plan"] == "free"
    account = get_account(actor.tenant)
    assert (account.balance_micros, account.floor_micros) == (0, -5_000_000)


def adjust(staff: Actor, **wish: Any) -> Any:
    return client_for(staff).post(ADJUST, {"reason": "Goodwill", **wish}, **with_key("k1"))


@pytest.mark.parametrize(("amount", "micros"), [({"amount_cents": 420}, 4_200_000), ({"amount_micros": -7}, -7)])
def test_staff_adjust_a_reserve_by_cents_or_micros(amount: dict[str, int], micros: int) -> None:
    tenant = make_actor().tenant
    answer = adjust(make_staff(), tenant=tenant, **amount)
    assert answer.status_code == 201
    assert (answer.json()["amount_micros"], answer.json()["balance_after_micros"]) == (micros, micros)
    assert get_account(tenant).balance_micros == micros


def test_a_repeated_adjustment_gets_the_first_answer() -> None:
    tenant, staff = make_actor().tenant, make_staff()
    first = adjust(staff, tenant=tenant, amount_cents=100)
    again = adjust(staff, tenant=tenant, amount_cents=100)
    assert (again.status_code, again.json(), again["Idempotent-Replayed"]) == (201, first.json(), "true")
    assert ReserveLedgerEntry.objects.filter(tenant_id=tenant).count() == 1


def test_the_same_key_with_another_amount_is_a_conflict() -> None:
    tenant, staff = make_actor().tenant, make_staff()
    adjust(staff, tenant=tenant, amount_cents=100)
    answer = adjust(staff, tenant=tenant, amount_cents=101)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_mismatch")


def test_an_adjustment_needs_a_key() -> None:
    answer = client_for(make_staff()).post(ADJUST, {"tenant": make_actor().tenant, "amount_cents": 1, "reason": "x"})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["Idempotency-Key"])


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"amount_cents": 1, "amount_micros": 1}, "amount_micros"),
        ({}, "amount_micros"),
        ({"amount_micros": 0}, "amount_micros"),
        ({"amount_micros": 1.5}, "amount_micros"),
        ({"amount_cents": 10**12}, "amount_cents"),
        ({"amount_cents": 1, "reason": " "}, "reason"),
        ({"amount_cents": 1, "tenant": "mine"}, "tenant"),
    ],
)
def test_an_adjustment_that_makes_no_sense_is_refused(wish: dict[str, Any], field: str) -> None:
    answer = adjust(make_staff(), **{"tenant": make_actor().tenant, **wish})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_an_adjustment_below_the_floor_is_a_conflict() -> None:
    answer = adjust(make_staff(), tenant=make_actor().tenant, amount_micros=-5_000_001)
    assert (answer.status_code, answer.json()["code"]) == (409, "below_floor")


def test_an_unknown_tenant_is_not_found() -> None:
    assert adjust(make_staff(), tenant=uuid7(), amount_cents=1).status_code == 404


def test_only_staff_adjust() -> None:
    owner = make_actor()
    assert anonymous().post(ADJUST, {}).status_code == 401
    assert adjust(owner, tenant=owner.tenant, amount_cents=1).status_code == 403
    assert not BillingAuditLog.objects.exists()
