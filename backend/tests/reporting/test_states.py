"""The states of a report: the table, the compare-and-set and the database agree."""

import itertools
from collections.abc import Callable

import pytest
from django.db import ProgrammingError, transaction

from apps.observability.selectors import list_events
from apps.reporting.models import Report
from apps.reporting.services import cancel_report, fail_report, finish_report, reopen_report
from apps.reporting.types import REPORT_STATES, TRANSITIONS, ReportState, ReportView
from tests.factories.accounts import make_actor
from tests.factories.reporting import NOW, make_report, section

pytestmark = pytest.mark.django_db

Move = Callable[[ReportView], bool]


def finish(report: ReportView) -> bool:
    parts = [[section("Done", ("It is done.", [report.entries[0].id]))]]
    return finish_report(tenant=report.tenant, report_id=report.id, parts=parts, now=NOW)


MOVES: dict[ReportState, Move] = {
    ReportState.PENDING: lambda report: reopen_report(tenant=report.tenant, report_id=report.id, now=NOW),
    ReportState.READY: finish,
    ReportState.FAILED: lambda report: fail_report(tenant=report.tenant, report_id=report.id, now=NOW),
    ReportState.CANCELLED: lambda report: cancel_report(tenant=report.tenant, report_id=report.id, now=NOW),
}


def report_in(state: ReportState) -> ReportView:
    report = make_report(make_actor())
    if state != ReportState.PENDING:
        assert MOVES[state](report)
    return report


@pytest.mark.parametrize(("before", "after"), list(itertools.product(ReportState, MOVES)))
def test_a_service_moves_a_report_only_as_the_table_says(before: ReportState, after: ReportState) -> None:
    report = report_in(before)
    assert MOVES[after](report) == REPORT_STATES.allows(before, after)
    expected = after if REPORT_STATES.allows(before, after) else before
    assert Report.objects.get(id=report.id).state == expected


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(ReportState, 2)))
def test_the_database_refuses_what_the_table_does_not_name(before: ReportState, after: ReportState) -> None:
    row = Report.objects.filter(id=report_in(before).id)
    complete = {"finished_at": NOW, "document": {"title": "", "subtitle": "", "sections": []}}
    if REPORT_STATES.allows(before, after):
        assert row.update(state=after, **complete) == 1
        return
    with pytest.raises(ProgrammingError, match="Invalid transition"), transaction.atomic():
        row.update(state=after, **complete)


def test_a_reopened_report_can_be_finished() -> None:
    report = report_in(ReportState.FAILED)
    assert MOVES[ReportState.PENDING](report)
    assert finish(report)


def test_another_tenant_cannot_move_a_report() -> None:
    report = make_report(make_actor())
    assert not cancel_report(tenant=make_actor().tenant, report_id=report.id, now=NOW)


def test_each_move_is_written_down_once() -> None:
    report = report_in(ReportState.READY)
    finish(report)
    names = [event.name for event in list_events(tenant=report.tenant, subject_id=report.id)]
    assert names == ["report.ready"]


def test_the_diagram_shows_every_move() -> None:
    drawn = REPORT_STATES.render_mermaid()
    assert all(f"{old.value} --> {new.value}" in drawn for old, targets in TRANSITIONS.items() for new in targets)
