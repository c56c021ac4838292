"""Rules of the database that every app rests on."""

import pytest
from django.db import IntegrityError, connection, migrations, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.transaction import TransactionManagementError

from apps.common.db import AddTenantReference, forbid_transaction, require_transaction
from tests.factories.accounts import make_actor
from tests.factories.orchestration import begin_report, make_writer, run_of

pytestmark = pytest.mark.django_db


def test_a_remote_call_inside_a_transaction_is_refused() -> None:
    forbid_transaction()
    with transaction.atomic(), pytest.raises(TransactionManagementError):
        forbid_transaction()


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionManagementError):
        require_transaction()
    with transaction.atomic():
        require_transaction()


def test_a_row_cannot_point_into_another_tenant() -> None:
    run, stranger = run_of(begin_report(make_writer(entries=1))), make_actor()
    with pytest.raises(IntegrityError, match="orchestration_jobrun_job_id_tenant"), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orchestration_jobrun SET tenant_id = %s WHERE id = %s", [str(stranger.tenant), str(run.pk)]
        )


def test_the_rule_can_be_taken_back_and_put_on_again() -> None:
    operation = AddTenantReference("jobrun", "job")
    state = MigrationLoader(connection).project_state()
    with connection.schema_editor(atomic=False) as editor:
        operation.database_backwards("orchestration", editor, state, state)
        assert not _has_rule()
        operation.database_forwards("orchestration", editor, state, state)
    assert _has_rule()
    assert "jobrun.job" in operation.describe()
    assert isinstance(operation, migrations.operations.base.Operation)


def _has_rule() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = 'orchestration_jobrun_job_id_tenant'")
        return cursor.fetchone() is not None
