"""Exports and erasures with real commits: two wishes at once, a change of mind on the day, two workers."""

from datetime import timedelta

import pytest

from apps.billing.services.proof import prove_ledger
from apps.common import clock
from apps.common.errors import DomainError
from apps.mail.models import OutgoingMail
from apps.orchestration.erasure.runner import erase_account
from apps.orchestration.flows.export import start_export
from apps.orchestration.models import AccountDeletion, DataExport, ErasureCertificate, Job
from apps.orchestration.services.deletions import undo_deletion
from apps.reporting.models import Report
from apps.worklog.models import WorkLog
from tests.factories.accounts import make_actor
from tests.factories.mydata import make_export, read_export, schedule
from tests.factories.orchestration import begin_report, make_writer, work
from tests.races.test_steps import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.race]


def test_eight_wishes_at_once_start_one_export() -> None:
    actor = make_actor()
    jobs = at_once(*[lambda: start_export(actor=actor, now=clock.now())] * 8)
    assert len(set(map(str, jobs))) == 1
    assert (Job.objects.count(), DataExport.objects.count()) == (1, 1)


def test_four_wishes_to_go_schedule_one_deletion() -> None:
    actor = make_actor()
    results = at_once(*[lambda: schedule(actor).pk] * 4)
    assert len(set(map(str, results))) == 1
    assert AccountDeletion.objects.count() == 1


def test_either_the_change_of_mind_or_the_erasure_wins_and_never_both() -> None:
    actor = make_writer(entries=1)
    deletion = schedule(actor)
    undone, _ = at_once(
        lambda: undo_deletion(actor=actor, now=deletion.due_at),
        lambda: erase_account(deletion_id=deletion.pk, clock=lambda: deletion.due_at),
    )
    deletion.refresh_from_db()
    if isinstance(undone, DomainError):
        assert (deletion.state, WorkLog.objects.count()) == ("erasing", 0)
    else:
        assert (undone, deletion.state, WorkLog.objects.count()) == (None, "undone", 1)


def test_two_workers_make_one_certificate() -> None:
    actor = make_writer(entries=1)
    deletion = schedule(actor)
    at_once(*[lambda: erase_account(deletion_id=deletion.pk, clock=lambda: deletion.due_at)] * 2)
    assert ErasureCertificate.objects.count() == 1
    assert OutgoingMail.objects.filter(kind="erasure_certificate").count() == 1


def test_a_whole_life_with_real_commits_from_the_first_report_to_the_erasure() -> None:
    actor = make_writer(entries=2)
    work(begin_report(actor))
    assert "ledger.json" in read_export(make_export(actor))
    deletion = schedule(actor)
    later = deletion.due_at + timedelta(days=2)
    for moment in (deletion.due_at, later):
        erase_account(deletion_id=deletion.pk, clock=lambda moment=moment: moment)  # type: ignore[misc]  # the usual capture
    deletion.refresh_from_db()
    assert deletion.state == "erased"
    assert (WorkLog.objects.count(), Report.objects.count()) == (0, 0)
    assert prove_ledger(now=later).is_ok
