"""Rows that are written once: nobody edits them, and only an erasure deletes those that a person may have erased."""

from typing import Any

import pytest
from django.db import ProgrammingError, connection, models, transaction
from django.db.transaction import TransactionManagementError

from apps.billing.models import BillingAuditLog, ReserveLedgerEntry, UsageEvent
from apps.common import clock
from apps.common.db import erasing
from apps.common.ids import uuid7
from apps.observability.models import AuditEvent, EventRecord
from apps.observability.services import record_audit, record_event
from apps.reporting.models import ReportEntry
from apps.worklog.models import WorkLogVersion
from tests.factories.accounts import make_actor
from tests.factories.orchestration import begin_report, make_writer

pytestmark = pytest.mark.django_db

ERASABLE: list[type[models.Model]] = [WorkLogVersion, ReportEntry, EventRecord]


@pytest.fixture
def _rows() -> None:
    """A row in each erasable table, and one in the audit."""
    begin_report(make_writer(entries=1))
    record_audit(tenant=None, actor=None, action="a", target_kind="b", target_id="c", now=clock.now())


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("model", [*ERASABLE, AuditEvent])
def test_a_row_cannot_be_deleted(model: Any) -> None:
    with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic():
        model.objects.all().delete()


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("model", ERASABLE)
def test_an_erasure_deletes_and_then_the_door_is_shut_again(model: Any) -> None:
    with erasing():
        assert model.objects.all()[0].delete()[0] == 1
    record_event(tenant=None, subject_kind="job", subject_id=uuid7(), name="a", message="b", now=clock.now())
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        EventRecord.objects.all().delete()


@pytest.mark.usefixtures("_rows")
def test_an_erasure_that_fails_shuts_the_door_too() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic(), erasing():
        raise ZeroDivisionError
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        EventRecord.objects.all().delete()


@pytest.mark.usefixtures("_rows")
@pytest.mark.parametrize("model", ERASABLE)
def test_not_even_an_erasure_edits_a_row(model: Any) -> None:
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic(), erasing():
        model.objects.update(id=uuid7())


@pytest.mark.usefixtures("_rows")
def test_the_audit_outlives_an_erasure() -> None:
    with pytest.raises(ProgrammingError, match="Cannot"), transaction.atomic(), erasing():
        AuditEvent.objects.all().delete()


@pytest.mark.parametrize(
    "model", [*ERASABLE, AuditEvent, BillingAuditLog, ReserveLedgerEntry, UsageEvent], ids=lambda model: model.__name__
)
def test_a_table_cannot_be_emptied_at_a_stroke(model: Any) -> None:
    with (
        pytest.raises(ProgrammingError, match="cannot be truncated"),
        transaction.atomic(),
        erasing(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")


@pytest.mark.django_db(transaction=True)
def test_an_erasure_needs_a_transaction() -> None:
    make_actor()
    with pytest.raises(TransactionManagementError), erasing():
        pass
