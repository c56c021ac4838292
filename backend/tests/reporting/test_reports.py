"""The life of a report: asked for, put together, renamed, deleted; and who sees it."""

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from apps.accounts.models import User
from apps.common.errors import Invalid, NotFound
from apps.common.ids import uuid7
from apps.common.states import WrongState
from apps.reporting.models import Report, ReportEntry
from apps.reporting.selectors import find_report_of_job, get_report, list_reports, view_summary
from apps.reporting.services import (
    check_can_delete_report,
    delete_report,
    fail_report,
    finish_report,
    rename_report,
)
from apps.reporting.types import ENTRIES_MAX, ReportState
from tests.factories.accounts import make_actor
from tests.factories.reporting import NOW, freeze, make_ready_report, make_report, section

pytestmark = pytest.mark.django_db


def test_a_report_keeps_its_entries_as_they_were_in_their_order() -> None:
    entries = [freeze("Second", impact="Saved 2 h", tags=("a", "b")), freeze("First")]
    report = make_report(make_actor(), *entries)
    assert list(report.entries) == entries
    assert (report.state, report.document, report.entry_count) == (ReportState.PENDING, None, 2)


def test_a_report_keeps_how_it_is_made() -> None:
    report = make_report(make_actor())
    assert (report.writer.label, report.prompt_version, report.rate_card) == (
        "Built-in writer",
        "brag_document/1",
        "Starter v1",
    )


def test_a_report_carries_the_name_that_its_author_had() -> None:
    actor = make_actor(username="ada")
    before = make_report(actor)
    User.objects.filter(id=actor.user_id).update(display_name="Ada  Lovelace")
    after = make_report(actor)
    assert (before.author_name, after.author_name) == ("ada", "Ada Lovelace")


@pytest.mark.parametrize("count", [0, ENTRIES_MAX + 1])
def test_a_report_has_between_one_and_five_hundred_entries(count: int) -> None:
    with pytest.raises(Invalid) as refusal:
        make_report(make_actor(), entries=[freeze() for _ in range(count)])
    assert "entry_ids" in refusal.value.fields


@pytest.mark.parametrize("title", ["", " \t", "x" * 201, "\u202e"])
def test_a_title_is_needed_and_bounded(title: str) -> None:
    with pytest.raises(Invalid) as refusal:
        make_report(make_actor(), title=title)
    assert "title" in refusal.value.fields


def test_parts_become_one_document_with_numbered_bullets_under_shared_headings() -> None:
    one, two, three = freeze("One"), freeze("Two"), freeze("Three")
    parts = [
        [section("Billing", ("A.", [one.id])), section("Search", ("B.", [two.id]))],
        [section("BILLING", ("C.", [three.id, one.id]))],
    ]
    document = make_ready_report(make_actor(), one, two, three, parts=parts).document
    assert document is not None
    told = [(part.heading, [(bullet.id, bullet.text) for bullet in part.bullets]) for part in document.sections]
    assert told == [("Billing", [("b1", "A."), ("b2", "C.")]), ("Search", [("b3", "B.")])]
    assert document.bullet_count == 3


def test_the_subtitle_names_person_and_period() -> None:
    actor = make_actor(username="ada")
    document = make_ready_report(actor).document
    assert document is not None
    assert document.subtitle == "ada · 1 October 2026 to 31 December 2026"


def test_a_period_of_one_day_is_named_once() -> None:
    day = freeze().occurred_on
    document = make_ready_report(make_actor(username="bob"), period_from=day, period_to=day).document
    assert document is not None
    assert document.subtitle == "bob · 1 October 2026"


def test_a_report_that_does_not_exist_cannot_be_finished() -> None:
    with pytest.raises(NotFound):
        finish_report(tenant=make_actor().tenant, report_id=uuid7(), parts=[], now=NOW)


def test_the_list_shows_the_authors_reports_newest_first() -> None:
    actor = make_actor()
    first, second = make_report(actor), make_ready_report(actor)
    make_report(make_actor())
    summaries = [view_summary(row) for row in list_reports(actor=actor)]
    assert [summary.id for summary in summaries] == [second.id, first.id]
    assert [summary.bullet_count for summary in summaries] == [1, 0]


def test_a_report_is_found_by_its_job() -> None:
    actor, job_id = make_actor(), uuid7()
    report = make_report(actor, job_id=job_id)
    found = find_report_of_job(actor=actor, job_id=job_id)
    assert found is not None
    assert found.id == report.id
    assert find_report_of_job(actor=actor, job_id=uuid7()) is None


def test_neither_a_stranger_nor_a_colleague_sees_a_report() -> None:
    owner = make_actor()
    report = make_report(owner)
    for other in (make_actor(), make_actor(tenant=owner.tenant)):
        with pytest.raises(NotFound):
            get_report(actor=other, report_id=report.id)
        with pytest.raises(NotFound):
            check_can_delete_report(other, report)


def test_a_new_title_is_in_the_document_too() -> None:
    actor = make_actor()
    report = make_ready_report(actor)
    renamed = rename_report(actor=actor, report_id=report.id, title=" My\nquarter ", now=NOW)
    assert renamed.document is not None
    assert (renamed.title, renamed.document.title) == ("My quarter", "My quarter")


def test_a_deleted_report_is_out_of_sight_and_kept() -> None:
    actor = make_actor()
    report = make_ready_report(actor)
    delete_report(actor=actor, report_id=report.id, now=NOW)
    assert not list_reports(actor=actor).exists()
    with pytest.raises(NotFound):
        delete_report(actor=actor, report_id=report.id, now=NOW)
    assert Report.objects.get(id=report.id).deleted_at == NOW


def test_a_report_that_is_being_written_cannot_be_deleted() -> None:
    actor = make_actor()
    report = make_report(actor)
    assert not report.can_delete
    with pytest.raises(WrongState):
        delete_report(actor=actor, report_id=report.id, now=NOW)


def test_a_retry_between_look_and_delete_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_actor()
    report = make_report(actor)
    fail_report(tenant=actor.tenant, report_id=report.id, now=NOW)

    def reopen(_: object, seen: object) -> None:
        Report.objects.filter(id=report.id).update(state=ReportState.PENDING)

    monkeypatch.setattr("apps.reporting.services.reports.check_can_delete_report", reopen)
    with pytest.raises(WrongState):
        delete_report(actor=actor, report_id=report.id, now=NOW)


def test_frozen_entries_cannot_be_changed_or_removed() -> None:
    make_report(make_actor())
    with pytest.raises(ProgrammingError), transaction.atomic():
        ReportEntry.objects.update(snapshot={})
    with pytest.raises(ProgrammingError), transaction.atomic():
        ReportEntry.objects.all().delete()


def test_what_was_asked_for_cannot_be_changed() -> None:
    report = make_report(make_actor())
    with pytest.raises(ProgrammingError), transaction.atomic():
        Report.objects.filter(id=report.id).update(period_to="2030-01-01")


def test_an_entry_cannot_belong_to_another_tenants_report() -> None:
    report, stranger = make_report(make_actor()), make_actor()
    with pytest.raises(IntegrityError, match="tenant"), transaction.atomic():
        ReportEntry.objects.create(
            tenant_id=stranger.tenant, report_id=report.id, worklog_id=uuid7(), version=1, position=9, snapshot={}
        )


def test_a_ready_report_has_a_document() -> None:
    report = make_report(make_actor())
    with pytest.raises(IntegrityError), transaction.atomic():
        Report.objects.filter(id=report.id).update(state=ReportState.READY)


def test_rows_name_themselves() -> None:
    make_report(make_actor(), title="My quarter")
    assert str(Report.objects.get()) == "My quarter"
    assert "version 1" in str(ReportEntry.objects.get())
