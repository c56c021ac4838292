"""Request ids: taken when well formed, made otherwise, given back, and found on what was written down."""

import re

import pytest
from django.db import ProgrammingError, transaction
from django.test import Client

from apps.common import clock
from apps.common.ids import uuid7
from apps.observability import services
from apps.observability.context import bind_request, clear_request, current_address, current_request_id
from apps.observability.models import AuditEvent, EventRecord
from apps.observability.selectors import list_events

UUID_FORM = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def answer_id(offered: str) -> str:
    return str(Client().get("/api/healthz/", headers={"X-Request-ID": offered})["X-Request-ID"])


@pytest.mark.parametrize("offered", ["12345678", "trace-ab.cd_EF-09", "x" * 64])
def test_a_well_formed_id_is_kept(offered: str) -> None:
    assert answer_id(offered) == offered


@pytest.mark.parametrize("offered", ["", "1234567", "x" * 65, "with space", "drop;table", "<script>", "ünïcödé-id"])
def test_any_other_id_is_replaced(offered: str) -> None:
    assert re.fullmatch(UUID_FORM, answer_id(offered))


@pytest.mark.parametrize("offered", ["12345678", "bad id"])
def test_log_lines_carry_the_id_of_the_answer(offered: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="django_structlog"):
        given = answer_id(offered)
    assert {getattr(record, "msg", {})["request_id"] for record in caplog.records} == {given}


@pytest.mark.django_db
def test_what_is_written_down_names_the_request_and_its_origin() -> None:
    bind_request(request_id="trace-123", address="192.0.2.1")
    try:
        services.record_audit(
            tenant=None, actor=None, action="x", target_kind="x", target_id=1, before={"a": 1}, now=clock.now()
        )
    finally:
        clear_request()
    row = AuditEvent.objects.get()
    assert (row.request_id, row.address, row.before, row.after) == ("trace-123", "192.0.2.1", {"a": 1}, None)
    assert (current_request_id(), current_address()) == ("", None)


@pytest.mark.django_db
def test_events_are_listed_for_their_tenant_alone() -> None:
    tenant, subject = uuid7(), uuid7()
    for owner in (tenant, uuid7()):
        services.record_event(
            tenant=owner, subject_kind="job", subject_id=subject, name="job.x", message="m", now=clock.now()
        )
    events = list_events(tenant=tenant, subject_id=subject)
    assert [event.tenant_id for event in events] == [tenant]
    assert str(events[0]) == f"job.x job {subject}"


@pytest.mark.django_db
def test_the_database_keeps_events_and_audit_rows_as_they_are() -> None:
    services.record_audit(tenant=None, actor=None, action="x", target_kind="x", target_id=1, now=clock.now())
    services.record_event(
        tenant=None, subject_kind="job", subject_id=uuid7(), name="job.x", message="m", now=clock.now()
    )
    assert str(AuditEvent.objects.get()) == "x x 1"
    for model, change in ((AuditEvent, {"action": "y"}), (EventRecord, {"name": "y"})):
        with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
            model._default_manager.update(**change)
