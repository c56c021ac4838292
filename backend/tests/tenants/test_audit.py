"""What is kept of changes that leave no other trace, and that money's own log stands in the audit as well."""

import pytest

from apps.billing.models import BillingAuditLog
from apps.billing.services.credits import adjust_reserve
from apps.common import clock
from apps.observability.models import AuditEvent
from apps.reporting.services import delete_report
from apps.worklog.models import WorkLog
from apps.worklog.services import delete_entry, restore_entry
from tests.factories.accounts import make_staff
from tests.factories.orchestration import begin_report, make_writer, work

pytestmark = pytest.mark.django_db


def test_deleting_and_restoring_an_entry_is_on_record_without_its_words() -> None:
    writer = make_writer(entries=1)
    entry = WorkLog.objects.get()
    delete_entry(actor=writer, entry_id=entry.id, now=clock.now())
    restore_entry(actor=writer, entry_id=entry.id, now=clock.now())
    events = AuditEvent.objects.filter(target_kind="worklog", target_id=str(entry.id)).order_by("id")
    assert [(event.action, event.actor_id, event.after) for event in events] == [
        ("worklog.deleted", writer.user_id, None),
        ("worklog.restored", writer.user_id, None),
    ]


def test_deleting_a_report_is_on_record() -> None:
    writer = make_writer(entries=1)
    job = work(begin_report(writer))
    delete_report(actor=writer, report_id=job.subject_id, now=clock.now())
    assert AuditEvent.objects.get(action="report.deleted").target_id == str(job.subject_id)


def test_what_billing_keeps_can_be_searched_with_all_else() -> None:
    writer, staff = make_writer(entries=0), make_staff()
    adjust_reserve(
        actor=staff, tenant=writer.tenant, amount_micros=5, reason="Sorry", idempotency_key="k", now=clock.now()
    )
    kept = BillingAuditLog.objects.get(actor_id=staff.user_id)
    event = AuditEvent.objects.get(actor_id=staff.user_id, action=kept.action)
    assert (event.tenant_id, event.target_id, event.reason, event.after, event.at) == (
        writer.tenant,
        str(kept.target_id),
        "Sorry",
        kept.after,
        kept.at,
    )
