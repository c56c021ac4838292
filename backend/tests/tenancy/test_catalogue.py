"""Row-level security in the catalogue of PostgreSQL, and the role that it binds."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from celery import signals
from django.conf import LazySettings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection

from apps.api.system import probes
from apps.api.system.probes import NotReady, check_isolation
from apps.common import roles
from config.celery import refuse_powerful_role

pytestmark = pytest.mark.django_db

TENANT_TABLES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
"""
PROTECTED_TABLES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
    WHERE c.relrowsecurity AND c.relforcerowsecurity AND p.polcmd = '*'
        AND pg_get_expr(p.polqual, p.polrelid) LIKE '%afterresume.tenant%'
        AND pg_get_expr(p.polwithcheck, p.polrelid) LIKE '%afterresume.tenant%'
"""
# Unique keys whose first column is neither the tenant nor a row of the same tenant: value, and why nobody can probe it.
UNIQUE_WITHOUT_TENANT: Final = {
    ("invitations_invitepasskey", "digest"): "192 random bits",
    ("invitations_invitepasskey", "used_by_id"): "the person who signs up, with an id that we make",
    ("invitations_invitepasskey", "operation_key"): "named by operators on the command line only",
    ("tenants_profile", "user_id"): "a person is in one tenant; the id comes from us",
    ("billing_billingprofile", "stripe_customer_id"): "given by Stripe, never by a caller",
    ("api_storedanswer", "user_id"): "the person who asks",
    ("orchestration_accountdeletion", "user_id"): "the person who asks",
    ("orchestration_erasurecertificate", "token_digest"): "256 bits that only we can compute",
    ("billing_reserveledgerentry", "payment_intent_id"): "given by Stripe, never by a caller",
    ("billing_reserveledgerentry", "refund_id"): "given by Stripe, never by a caller",
    ("billing_reserveledgerentry", "dispute_id"): "given by Stripe, never by a caller",
    ("billing_billingprofile", "stripe_subscription_id"): "given by Stripe, never by a caller",
    ("billing_paymentattempt", "stripe_session_id"): "given by Stripe, never by a caller",
    ("billing_paymentattempt", "stripe_payment_intent_id"): "given by Stripe, never by a caller",
    ("billing_paymentrefund", "stripe_refund_id"): "given by Stripe, never by a caller",
    ("billing_paymentdispute", "stripe_dispute_id"): "given by Stripe, never by a caller",
    ("billing_billingdocument", "kind"): "with the Stripe id of what it is about",
    ("billing_billingdocument", "series"): "with a number that we count",
    ("billing_reserveledgerentry", "promo_source"): "the id of a passkey that was just spent",
}


@pytest.fixture
def runtime_role(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Everything in the test happens as the role that services run as."""
    # A probe gives its connection up, which would end the test's transaction.
    monkeypatch.setattr(probes, "connection", Connection())
    role: str = settings.DATABASE_RUNTIME_ROLE
    assert role, "Run the tests with devstack.with_servers, which makes the role."
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
    settings.REFUSE_POWERFUL_ROLE = True
    yield role
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def read_set(statement: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {row[0] for row in cursor.fetchall()}


def as_owner(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"RESET ROLE; {statement}")


@pytest.mark.failure("T08")
def test_every_table_with_a_tenant_is_bound_by_a_policy_for_its_owner_too() -> None:
    tables = read_set(TENANT_TABLES)
    assert len(tables) > 15
    assert sorted(tables - read_set(PROTECTED_TABLES)) == []
    assert "tenants_tenant" in read_set(PROTECTED_TABLES)


@pytest.mark.failure("T08")
def test_the_runtime_role_is_an_ordinary_one(runtime_role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication FROM pg_roles"
            " WHERE rolname = %s",
            [runtime_role],
        )
        assert cursor.fetchone() == (False,)
        cursor.execute("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = %s", [runtime_role])
        assert cursor.fetchone() == (0,)
    assert roles.find_role_problems() == []
    assert roles.check_role(databases=["default"]) == []
    check_isolation()


@pytest.mark.failure("T08")
def test_the_owner_of_the_tables_is_refused(settings: LazySettings) -> None:
    settings.REFUSE_POWERFUL_ROLE, settings.DATABASE_RUNTIME_ROLE = True, ""
    assert any("owns" in problem for problem in roles.find_role_problems())
    assert [type(found) for found in roles.check_role(databases=["default"])] == [checks.Error]


@pytest.mark.failure("T08")
@pytest.mark.parametrize(("row", "word"), [("true, false", "superuser"), ("false, true", "BYPASSRLS")])
def test_a_role_past_the_policies_is_refused(
    runtime_role: str, monkeypatch: pytest.MonkeyPatch, row: str, word: str
) -> None:
    monkeypatch.setattr(roles, "_ROLE", f"SELECT 'somebody', {row}")
    [problem] = roles.find_role_problems()
    assert word in problem


@pytest.mark.failure("T08")
@pytest.mark.parametrize("change", ["NO FORCE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"])
def test_a_table_that_lost_its_protection_is_noticed(runtime_role: str, change: str) -> None:
    as_owner(f"ALTER TABLE worklog_tag {change}; SET LOCAL ROLE {runtime_role}")
    assert roles.find_role_problems() == ["The table worklog_tag has no forced row-level security."]
    with pytest.raises(NotReady):
        check_isolation()


@pytest.mark.failure("T08")
def test_a_new_table_with_a_tenant_and_without_a_policy_is_noticed(runtime_role: str) -> None:
    as_owner(f"CREATE TABLE stray (tenant_id uuid); SET LOCAL ROLE {runtime_role}")
    assert roles.find_role_problems() == ["The table stray has no forced row-level security."]


@pytest.mark.failure("T08")
def test_services_refuse_to_start_with_a_bad_role(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REFUSE_POWERFUL_ROLE = True
    monkeypatch.setattr(roles, "connections", {"default": Connection()})
    monkeypatch.setattr(roles, "find_role_problems", lambda: ["The role is a superuser."])
    with pytest.raises(ImproperlyConfigured, match="superuser"):
        roles.require_runtime_role()
    for signal in (signals.worker_init, signals.beat_init):
        with pytest.raises(SystemExit, match="superuser"):
            signal.send(sender=None)
    settings.REFUSE_POWERFUL_ROLE = False
    refuse_powerful_role()


def test_a_database_that_is_away_does_not_keep_a_service_from_starting(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def be_away() -> list[str]:
        raise OperationalError

    settings.REFUSE_POWERFUL_ROLE = True
    monkeypatch.setattr(roles, "connections", {"default": Connection()})
    monkeypatch.setattr(roles, "find_role_problems", be_away)
    roles.require_runtime_role()


class Connection:
    """Of which the check gives up everything that it opened."""

    def close(self) -> None:
        """Nothing was opened."""

    def close_pool(self) -> None:
        """Nothing was opened."""


def test_outside_production_a_single_role_is_a_warning(settings: LazySettings) -> None:
    settings.DATABASE_RUNTIME_ROLE = ""
    assert [type(found) for found in roles.check_role(databases=["default"])] == [checks.Warning]
    assert roles.check_role(databases=None) == []


def test_the_process_that_migrates_runs_as_the_owner(settings: LazySettings) -> None:
    settings.DATABASE_RUNTIME_ROLE, settings.REFUSE_POWERFUL_ROLE = "somebody_else", True
    assert roles.check_role(databases=["default"]) == []


UNIQUES: Final = """
    SELECT DISTINCT c.relname, a.attname
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE i.indisunique AND n.nspname = 'public' AND c.relname = ANY(%s)
"""
WITHIN_TENANT: Final = """
    SELECT c.relname, a.attname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(k.conkey) AND a.attname <> 'tenant_id'
    WHERE k.contype = 'f' AND cardinality(k.conkey) = 2
        AND EXISTS (SELECT 1 FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attnum = ANY(k.conkey)
                    AND t.attname = 'tenant_id')
"""


@pytest.mark.failure("T06")
def test_no_unique_key_tells_one_tenant_what_another_has() -> None:
    with connection.cursor() as cursor:
        cursor.execute(UNIQUES, [sorted(read_set(TENANT_TABLES))])
        uniques: set[Any] = set(cursor.fetchall())
        cursor.execute(WITHIN_TENANT)
        within: set[Any] = set(cursor.fetchall())
    open_keys = {(table, column) for table, column in uniques - within if column not in {"id", "tenant_id"}}
    assert open_keys == set(UNIQUE_WITHOUT_TENANT)
