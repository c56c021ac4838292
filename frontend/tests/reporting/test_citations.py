"""Which entries stand behind which bullet."""

from apps.backend.pages import read
from apps.backend.reports import Report
from apps.reporting.citations import cite
from tests.fakes import shapes


def report_with(bullets: list[list[int]], *, entries: int) -> Report:
    made = shapes.report([shapes.entry(f"Entry {number}") for number in range(entries)])
    ids = [item["id"] for item in made["entries"]]
    listed = [
        {"id": f"b{number}", "text": f"Bullet {number}", "entry_ids": [ids[place] for place in places]}
        for number, places in enumerate(bullets)
    ]
    made["document"]["sections"] = [{"heading": "Acme", "bullets": listed}]
    return read(Report, made)


def numbers(report: Report) -> list[list[int]]:
    document = cite(report)
    assert document is not None
    return [[source.number for source in bullet.sources] for bullet in document.sections[0].bullets]


def test_sources_are_numbered_as_the_document_first_rests_on_them() -> None:
    assert numbers(report_with([[2], [0, 2]], entries=3)) == [[1], [2, 1]]


def test_entries_that_no_bullet_rests_on_are_told() -> None:
    document = cite(report_with([[1]], entries=2))
    assert document is not None
    assert [entry.title for entry in document.unused] == ["Entry 0"]


def test_an_entry_that_the_report_does_not_hold_is_no_source() -> None:
    made = shapes.report([shapes.entry()])
    made["document"]["sections"][0]["bullets"][0]["entry_ids"] = [shapes.new_id()]
    document = cite(read(Report, made))
    assert document is not None
    assert document.sections[0].bullets[0].sources == ()


def test_a_report_without_a_document_cites_nothing() -> None:
    assert cite(read(Report, shapes.report([shapes.entry()], document=None))) is None
