"""What PostgreSQL itself refuses to the role that services run as, whatever the program asks for."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import ProgrammingError, connection, transaction

from apps.billing.services.credits import grant_promo_credit
from apps.common import clock
from apps.common.ids import uuid7
from apps.common.scopes import SystemScope, edge, system_scope, tenant_scope
from apps.orchestration.types import JobState
from apps.tenants.types import Actor
from tests.api_client import Client, client_for
from tests.factories.accounts import make_actor
from tests.factories.orchestration import begin_report, make_writer, work
from tests.factories.worklog import make_entry

pytestmark = [pytest.mark.django_db, pytest.mark.failure("T07")]

HIDDEN = r"row-level security policy"
DENIED = r"permission denied"


@pytest.fixture
def _runtime_role(settings: LazySettings) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {settings.DATABASE_RUNTIME_ROLE}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


@pytest.fixture
def mine() -> Actor:
    return make_actor()


@pytest.fixture
def other() -> Actor:
    return make_actor()


def run(statement: str, *values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        count: int = cursor.rowcount
        return count


def refused(reason: str) -> AbstractContextManager[Any]:
    return pytest.raises(ProgrammingError, match=reason)


INSERT_TAG = """
    INSERT INTO worklog_tag (id, tenant_id, name, name_key) VALUES (%s, %s, 'x', 'x')
"""


@pytest.mark.usefixtures("_runtime_role")
def test_a_row_cannot_be_given_to_another_tenant(mine: Actor, other: Actor) -> None:
    with edge(), tenant_scope(mine.tenant):
        assert run(INSERT_TAG, uuid7(), mine.tenant) == 1
        with refused(HIDDEN), transaction.atomic():
            run(INSERT_TAG, uuid7(), other.tenant)


@pytest.mark.usefixtures("_runtime_role")
def test_a_row_cannot_be_moved_to_another_tenant(mine: Actor, other: Actor) -> None:
    with edge(), tenant_scope(mine.tenant):
        run(INSERT_TAG, uuid7(), mine.tenant)
        with refused(HIDDEN), transaction.atomic():
            run("UPDATE worklog_tag SET tenant_id = %s", other.tenant)


@pytest.mark.usefixtures("_runtime_role")
def test_rows_of_another_tenant_are_neither_read_nor_changed_nor_deleted(mine: Actor, other: Actor) -> None:
    entry = make_entry(other, tags=("x",))
    with edge(), tenant_scope(mine.tenant):
        assert run("SELECT 1 FROM worklog_worklog WHERE id = %s", entry.id) == 0
        assert run("UPDATE worklog_worklog SET title = 'mine'") == 0
        assert run("DELETE FROM worklog_worklogtag") == 0


@pytest.mark.usefixtures("_runtime_role")
def test_without_a_scope_nothing_is_written(mine: Actor) -> None:
    with edge(), refused(HIDDEN), transaction.atomic():
        run(INSERT_TAG, uuid7(), mine.tenant)


@pytest.mark.usefixtures("_runtime_role")
def test_what_concerns_no_tenant_is_added_by_anybody_and_read_by_the_house() -> None:
    audit = "INSERT INTO observability_auditevent (id, action, target_kind, target_id, reason, request_id, at, origin)"
    with edge():
        run(f"{audit} VALUES (%s, 'a', 'b', 'c', '', '', now(), 'api')", uuid7())
        assert run("SELECT 1 FROM observability_auditevent WHERE tenant_id IS NULL") == 0
        with system_scope(SystemScope.COMMAND):
            assert run("SELECT 1 FROM observability_auditevent WHERE tenant_id IS NULL") == 1


@pytest.mark.failure("M40")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_reserveledgerentry SET amount_micros = 1",
        "DELETE FROM billing_reserveledgerentry",
        "DELETE FROM billing_reserveaccount",
        "DELETE FROM billing_reservehold",
        "DELETE FROM observability_auditevent",
        "UPDATE billing_usageevent SET cost_micros = 0",
        "UPDATE django_migrations SET name = 'x'",
    ],
)
@pytest.mark.usefixtures("_runtime_role")
def test_append_only_tables_take_no_such_statement_at_all(statement: str) -> None:
    with refused(DENIED), transaction.atomic():
        run(statement)


@pytest.mark.failure("M40")
@pytest.mark.usefixtures("_runtime_role")
def test_the_runtime_role_empties_no_table_and_changes_none() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public'"
            " AND relkind = 'r' AND has_table_privilege(current_user, pg_class.oid, 'TRUNCATE, TRIGGER, REFERENCES')"
        )
        assert cursor.fetchall() == []
    for statement in (
        "ALTER TABLE worklog_tag DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE billing_reserveledgerentry DISABLE TRIGGER ALL",
        "DROP POLICY tenant_rows ON worklog_tag",
        "SET session_replication_role = replica",
        "CREATE TABLE mine (id int)",
    ):
        with refused(r"must be owner|permission denied"), transaction.atomic():
            run(statement)


@pytest.mark.usefixtures("_runtime_role")
def test_the_runtime_role_has_all_that_a_report_needs() -> None:
    writer = make_writer()
    job = work(begin_report(writer))
    assert job.state == JobState.SUCCEEDED
    for address in ("worklogs/", "reports/", "jobs/", "billing/reserve/ledger/", "billing/usage/", "status/bar/"):
        assert client_for(writer).get(f"/api/{address}").status_code == 200


def test_money_can_be_given_in_the_scope_of_its_tenant(mine: Actor) -> None:
    with edge(), tenant_scope(mine.tenant):
        grant_promo_credit(tenant=mine.tenant, amount_micros=5, source=uuid7(), description="x", now=clock.now())


def test_no_scope_is_left_after_a_request(mine: Actor) -> None:
    with edge():
        client: Client = Client()
        assert client.get("/api/worklogs/").status_code == 401
        assert run("SELECT 1 FROM tenants_profile") == 0
