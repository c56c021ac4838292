"""Prepared statements of the busiest tables do what the ORM does."""

from typing import Any, cast

import pytest
from django.db import DatabaseError, DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.billing.models import ReserveAccount, UsageEvent
from apps.billing.types import Policy
from apps.common.ids import uuid7
from apps.common.statements import fetch_rows, insert_if_absent, insert_rows, update_row
from apps.common.tenancy import tenant_scope
from apps.tenants.models import Tenant
from tests.factories.billing import NOW, get_account, make_reserve

pytestmark = pytest.mark.django_db


def make_tenants(count: int, *, name: str = "Row") -> list[Tenant]:
    return [Tenant(id=uuid7(), name=name, created_at=NOW) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 3])
def test_rows_are_inserted_as_they_are(count: int) -> None:
    tenants = make_tenants(count)
    insert_rows(tenants)
    found = Tenant.objects.in_bulk([tenant.id for tenant in tenants])
    assert [(found[tenant.id].name, found[tenant.id].created_at) for tenant in tenants] == [("Row", NOW)] * count
    assert not any(tenant._state.adding for tenant in tenants)


def test_nothing_to_insert_asks_nothing() -> None:
    with CaptureQueriesContext(connection) as queries:
        insert_rows([])
    assert len(queries) == 0


@pytest.mark.parametrize("count", [1, 2])
def test_a_text_that_is_too_long_is_refused_and_not_cut(count: int) -> None:
    with pytest.raises(DataError), transaction.atomic():
        insert_rows(make_tenants(count, name="x" * 10_000))


def test_a_row_is_inserted_unless_its_key_is_taken() -> None:
    [tenant] = make_tenants(1)
    assert [insert_if_absent(tenant), insert_if_absent(tenant)] == [True, False]
    assert Tenant.objects.filter(pk=tenant.pk).count() == 1


def test_a_row_is_fetched_with_every_column() -> None:
    tenant = make_reserve(funds=7, policy=Policy.LIMITED)
    [row] = fetch_rows(ReserveAccount, "WHERE tenant_id = ANY(%s)", [[tenant]])
    stored = get_account(tenant)
    assert {**row.__dict__, "_state": None} == {**stored.__dict__, "_state": None}


def test_named_columns_of_one_row_are_updated() -> None:
    tenant = make_reserve()
    account = get_account(tenant)
    account.low_balance_threshold_micros, account.policy = 5, Policy.WARN
    update_row(account, ("low_balance_threshold_micros",))
    stored = get_account(tenant)
    assert (stored.low_balance_threshold_micros, stored.policy) == (5, Policy.BLOCK)


def test_an_update_of_a_row_that_is_not_there_is_an_error() -> None:
    account = get_account(make_reserve())
    account.id = uuid7()
    with pytest.raises(DatabaseError):
        update_row(account, ("policy",))


def test_columns_that_must_be_converted_are_not_read() -> None:
    with pytest.raises(TypeError):
        fetch_rows(UsageEvent, "WHERE tenant_id = %s", [uuid7()])


def test_the_scope_decides_which_rows_are_there() -> None:
    mine, other = make_reserve(), make_reserve()
    with tenant_scope(mine):
        rows = fetch_rows(ReserveAccount, "WHERE tenant_id = ANY(%s)", [[mine, other]])
    assert [row.tenant_id for row in rows] == [mine]


def test_a_statement_is_prepared_once_whatever_the_size_of_its_numbers() -> None:
    account = get_account(make_reserve())
    for threshold in (1, 10**6, 10**12):
        account.low_balance_threshold_micros = threshold
        update_row(account, ("low_balance_threshold_micros", "is_policy_fixed"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%is_policy_fixed%$3'")
        (count,) = cast("tuple[Any]", cursor.fetchone())
    assert count == 1


def test_statements_are_counted_as_any_other_one() -> None:
    with CaptureQueriesContext(connection) as queries:
        insert_rows(make_tenants(1))
        insert_rows(make_tenants(2))
    assert [query["sql"].partition(" (")[0] for query in queries] == ['INSERT INTO "tenants_tenant"'] * 2
