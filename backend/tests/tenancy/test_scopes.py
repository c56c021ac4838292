"""A scope opens the rows of one customer, for as long as it lasts, on whatever connection."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

from apps.billing.models import ReserveAccount
from apps.common.ids import uuid7
from apps.common.postgres.base import DatabaseWrapper
from apps.common.scopes import (
    ScopeError,
    SystemScope,
    bind_system,
    bind_tenant,
    current_scope,
    edge,
    system_scope,
    tenant_scope,
)
from apps.common.tenancy import TenantId
from apps.tenants.models import Profile, Tenant
from tests.factories.accounts import make_actor
from tests.factories.worklog import make_entry

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.failure("T07")]


@pytest.fixture
def pooled() -> Iterator[Callable[[], None]]:
    """Gives the thread that calls it the test database through a pool of one connection, which all share in turn."""
    options = {**connection.settings_dict["OPTIONS"], "pool": {"min_size": 1, "max_size": 1, "timeout": 20}}
    pooling = {**connection.settings_dict, "CONN_MAX_AGE": 0, "OPTIONS": options}
    made: list[DatabaseWrapper] = []

    def take() -> None:
        made.append(DatabaseWrapper(pooling, DEFAULT_DB_ALIAS))
        connections[DEFAULT_DB_ALIAS] = made[-1]

    yield take
    made[0].close_pool()


def see() -> set[UUID]:
    """The tenants whose people can be seen."""
    return set(Profile.objects.values_list("tenant_id", flat=True))


def read_settings() -> tuple[str, str]:
    """What the connection itself still knows, asked past our cursors."""
    row = connection.connection.execute(
        "SELECT coalesce(current_setting('afterresume.tenant', true), ''),"
        " coalesce(current_setting('afterresume.scope', true), '')"
    ).fetchone()
    return row[0], row[1]


def test_without_a_scope_nothing_is_seen_in_autocommit_or_in_a_transaction() -> None:
    make_actor()
    with edge():
        assert see() == set()
        with transaction.atomic():
            assert see() == set()


def test_a_tenants_scope_shows_that_tenant() -> None:
    mine, _other = make_actor().tenant, make_actor().tenant
    with edge(), tenant_scope(mine):
        assert see() == {mine}
        with transaction.atomic():
            assert see() == {mine}
        assert list(Tenant.objects.values_list("id", flat=True)) == [mine]


def test_a_thread_begins_without_a_scope() -> None:
    mine = make_actor().tenant

    def look() -> set[UUID]:
        try:
            with edge():
                return see()
        finally:
            connection.close()

    with tenant_scope(mine), ThreadPoolExecutor(1) as pool:
        assert pool.submit(look).result() == set()


@pytest.mark.parametrize("ending", ["well", "with an exception", "with a refused statement", "after a savepoint"])
def test_tenants_that_take_turns_on_one_pooled_connection_see_themselves_only(pooled: Any, ending: str) -> None:
    tenants = [make_actor().tenant for _ in range(4)]

    def take_turn(tenant: TenantId) -> list[set[UUID]]:
        seen = []
        pooled()
        try:
            with edge():
                seen.append(see())
                with tenant_scope(tenant):
                    seen.append(see())
                    end_somehow(ending)
                    seen.append(see())
                seen.append(see())
                assert read_settings() == ("", "")
        finally:
            connection.close()
        return seen

    with ThreadPoolExecutor(4) as pool:
        turns = list(pool.map(take_turn, tenants * 5))
    assert turns == [[set(), {tenant}, {tenant}, set()] for tenant in tenants * 5]


def end_somehow(ending: str) -> None:
    """A transaction that sees its tenant and ends as named."""
    try:
        with transaction.atomic():
            see()
            if ending == "after a savepoint":
                with transaction.atomic():
                    see()
                    transaction.set_rollback(True)
            if ending == "with an exception":
                raise ZeroDivisionError
            if ending == "with a refused statement":
                connection.cursor().execute("SELECT 1 / 0")
    except Exception as error:  # noqa: BLE001 - the test is about what comes after
        assert ending.startswith("with")
        assert "zero" in str(error) or isinstance(error, ZeroDivisionError)  # noqa: PT017


def test_a_scope_holds_after_a_savepoint_was_rolled_back() -> None:
    mine, other = make_actor().tenant, make_actor().tenant
    with edge(), system_scope(SystemScope.SWEEPER), transaction.atomic():
        with transaction.atomic(), tenant_scope(mine):
            assert see() == {mine}
            transaction.set_rollback(True)
        assert see() == {mine, other}
        with tenant_scope(other):
            assert see() == {other}


def test_a_failed_statement_can_be_rolled_back_to_its_savepoint_in_another_scope() -> None:
    mine = make_actor().tenant
    with edge(), system_scope(SystemScope.SWEEPER), transaction.atomic():
        with pytest.raises(Exception, match="division by zero"), transaction.atomic(), tenant_scope(mine):
            connection.cursor().execute("SELECT 1 / 0")
        assert see() == {mine}


def test_cursors_of_the_server_and_batches_carry_the_scope() -> None:
    mine, other = make_actor(), make_actor()
    with edge(), tenant_scope(mine.tenant):
        assert [row.tenant_id for row in Profile.objects.iterator(chunk_size=1)] == [mine.tenant]
        with transaction.atomic():
            assert [row.tenant_id for row in Profile.objects.iterator(chunk_size=1)] == [mine.tenant]
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE tenants_profile SET time_zone = %s", [("Asia/Tokyo",), ("Europe/Zurich",)])
    zones = dict(Profile.objects.values_list("user_id", "time_zone"))
    assert zones == {mine.user_id: "Europe/Zurich", other.user_id: "UTC"}


def test_checks_at_commit_see_the_rows_of_the_scope_around_the_transaction() -> None:
    mine, other = make_actor().tenant, make_actor().tenant

    @transaction.atomic
    def break_the_account() -> None:
        ReserveAccount.objects.filter(tenant_id=mine).update(balance_micros=5)
        with tenant_scope(other):
            see()

    with edge(), system_scope(SystemScope.SWEEPER), pytest.raises(Exception, match="differs from its last entry"):
        break_the_account()


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (None, "tenant"),
        (None, "system"),
        ("tenant", "other tenant"),
        ("tenant", "system"),
        ("staff", "tenant"),
        ("metadata", "everything"),
    ],
)
def test_inside_a_transaction_a_scope_is_never_widened(outer: str | None, inner: str) -> None:
    with edge():
        tenant = TenantId(uuid7())
        scopes: dict[str, Any] = {
            "tenant": lambda: bind_tenant(tenant),
            "other tenant": lambda: bind_tenant(TenantId(uuid7())),
            "system": lambda: bind_system(SystemScope.COMMAND),
            "metadata": lambda: bind_system(SystemScope.COMMAND),
            "staff": lambda: bind_system(SystemScope.STAFF),
            "everything": lambda: bind_system(SystemScope.SWEEPER),
        }
        if outer is not None:
            scopes[outer]()
        before = current_scope()
        with transaction.atomic(), pytest.raises(ScopeError):
            scopes[inner]()
        assert current_scope() == before


def test_a_scope_can_be_narrowed_inside_a_transaction_and_entered_again() -> None:
    mine, other = make_actor().tenant, make_actor().tenant
    with edge(), system_scope(SystemScope.COMMAND), transaction.atomic():
        with tenant_scope(mine), tenant_scope(mine), system_scope_is_refused():
            assert see() == {mine}
        with system_scope(SystemScope.SIGN_UP):
            assert see() == {mine, other}


def system_scope_is_refused() -> Any:
    with pytest.raises(ScopeError):
        system_scope(SystemScope.COMMAND).__enter__()
    return tenant_scope(current_scope().tenant)  # type: ignore[union-attr, arg-type]


def test_nothing_can_be_bound_where_nothing_would_end_it() -> None:
    with pytest.raises(ScopeError, match="edge"):
        bind_tenant(TenantId(uuid7()))


def test_staff_see_metadata_of_all_and_content_of_their_own_tenant() -> None:
    own, customer = make_actor(is_staff=True), make_actor()
    make_entry(own), make_entry(customer)
    with edge():
        bind_tenant(own.tenant)
        bind_system(SystemScope.STAFF)
        assert see() == {own.tenant, customer.tenant}
        with connection.cursor() as cursor:
            cursor.execute("SELECT DISTINCT tenant_id FROM worklog_worklog")
            assert cursor.fetchall() == [(own.tenant,)]


@pytest.mark.parametrize("name", list(SystemScope))
def test_only_named_machines_see_what_customers_wrote(name: SystemScope) -> None:
    customer = make_actor()
    make_entry(customer)
    opening = {SystemScope.SWEEPER, SystemScope.METRICS, SystemScope.RETENTION, SystemScope.ERASURE}
    with edge(), system_scope(name), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM worklog_worklog")
        assert cursor.fetchone() == (1 if name in opening else 0,)
        assert see() == {customer.tenant}


def test_a_name_that_is_not_listed_opens_nothing() -> None:
    with pytest.raises(ValueError, match="convenience"), system_scope("convenience"):
        pass
