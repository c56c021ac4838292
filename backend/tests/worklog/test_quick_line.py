"""The quick-add line."""

import string
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.worklog import types
from apps.worklog.services.drafts import check_draft
from apps.worklog.services.quick_line import parse_hours, parse_quick_line
from apps.worklog.types import EntryDraft, QuickLine, fold_name

TODAY = date(2026, 11, 20)


def parse(line: str) -> QuickLine:
    return parse_quick_line(line=line, today=TODAY)


def test_reads_the_whole_entry_from_one_line() -> None:
    assert parse("Cut invoice run from 40 to 6 min @acme #billing +python !2h") == QuickLine(
        title="Cut invoice run from 40 to 6 min",
        occurred_on=TODAY,
        employer="acme",
        tags=("billing",),
        skills=("python",),
        hours=Decimal("2.00"),
        impact="from 40 to 6 min",
    )


def test_markers_may_stand_anywhere() -> None:
    line = parse('@"Acme Corp" Moved /atlas the #ops ledger !90m on:2026-10-01 home')

    assert (line.title, line.employer, line.project) == ("Moved the ledger home", "Acme Corp", "atlas")
    assert (line.tags, line.hours, line.occurred_on) == (("ops",), Decimal("1.50"), date(2026, 10, 1))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Fixed it yesterday", date(2026, 11, 19)),
        ("Fixed it Yesterday.", date(2026, 11, 19)),
        ("Fixed it yesterday @acme #ops", date(2026, 11, 19)),
        ("Fixed it today", TODAY),
        ("Fixed it on:yesterday", date(2026, 11, 19)),
        ("Fixed it ON:2026-02-28", date(2026, 2, 28)),
        ("Fixed it", TODAY),
    ],
)
def test_reads_the_day(text: str, day: date) -> None:
    assert (parse(text).title, parse(text).occurred_on) == ("Fixed it", day)


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "What yesterday taught us",
        "Met on:2026-02-30 again",
        "Met on:1899-12-31 again",
        "Met on:friday again",
        "Closed #1234 for good",
        "Grew sales +30% at once",
        "Wrote to a@b.example",
        "Cleaned /usr/local of files",
        "Said hello!",
        "Won !much and !2000h",
        'Left @"open quote',
        "A lone @ and # and + and /",
        "Bore @--- and #%%%",
    ],
)
def test_leaves_in_the_title_what_it_does_not_understand(text: str) -> None:
    assert (parse(text).title, parse(text).occurred_on) == (text, TODAY)


def test_only_the_first_of_a_kind_counts_and_the_rest_stays_in_the_title() -> None:
    line = parse("Met @acme and @globex /a /b !1h !2h on:2026-01-01 on:2026-01-02")

    assert (line.employer, line.project, line.hours) == ("acme", "a", Decimal("1.00"))
    assert line.title == "Met and @globex /b !2h on:2026-01-02"


def test_the_same_tag_twice_is_one_tag() -> None:
    assert parse("Did it #Ops #ops, +Go +go").tags == ("Ops",)


def test_more_tags_than_an_entry_can_carry_stay_in_the_title() -> None:
    line = parse("Did it " + " ".join(f"#t{number}" for number in range(types.TAGS_MAX + 1)))

    assert len(line.tags) == types.TAGS_MAX
    assert line.title == f"Did it #t{types.TAGS_MAX}"


def test_an_arrow_parts_the_work_from_its_outcome() -> None:
    line = parse("Cut the run from 40 to 6 min => month end a day earlier @acme")

    assert (line.title, line.impact) == ("Cut the run from 40 to 6 min", "month end a day earlier")


@pytest.mark.parametrize(
    ("text", "impact"),
    [
        ("Cut cost by 30%", "by 30%"),
        ("Cut cost by 12.5 % overall", "by 12.5 %"),
        ("Cut it from 40min to 6min at last", "from 40min to 6min"),
        ("Raised it from 1,000 to 2,500 users", "from 1,000 to 2,500 users"),
        ("Worked from 9 to 5", ""),
        ("Went from 3 to 4 and on", ""),
        ("Built it by hand", ""),
        ("=> nothing done", ""),
    ],
)
def test_takes_figures_for_the_outcome(text: str, impact: str) -> None:
    assert parse(text).impact == impact


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("2", "2.00"),
        ("2h", "2.00"),
        ("1.5h", "1.50"),
        ("1,5h", "1.50"),
        ("3hours", "3.00"),
        ("90m", "1.50"),
        ("20min", "0.33"),
        ("1h30", "1.50"),
        ("1h05m", "1.08"),
        ("0", "0.00"),
        ("1000", "1000.00"),
    ],
)
def test_reads_hours(text: str, hours: str) -> None:
    assert str(parse_hours(text)) == hours


@pytest.mark.parametrize("text", ["", "h", "-2", "1001", "99999m", "2d", "1.555", "1:30", "\u0662h"])
def test_does_not_guess_at_hours(text: str) -> None:
    assert parse_hours(text) is None


@given(st.text(max_size=300))
@example("@" * 300)
@example('@"' * 150)
@example("#\ud800 +\x00 !\x00 on:\x00")
@example("from 1 to 1 " * 25)
def test_never_fails_and_gives_only_what_can_be_saved(line: str) -> None:
    read = parse(line)
    draft = EntryDraft(title="Did it", employer=read.employer, project=read.project, tags=read.tags, hours=read.hours)

    check_draft(draft=draft, today=TODAY)


@given(st.text(max_size=300))
def test_no_word_without_a_marker_is_lost(line: str) -> None:
    read = parse(line)
    marked = ("@", "/", "#", "+", "!", "on:")
    plain = [word for word in line.split() if not word.lower().startswith(marked) and '"' not in word]

    kept = fold_name(f"{read.title} {read.impact}").split()
    lost = [word for word in plain if not set(fold_name(word).split()) <= set(kept)]
    assert set(map(str.lower, lost)) <= {"yesterday", "today", "yesterday.", "today.", "yesterday!", "today!", "=>"}


words = st.text(string.ascii_lowercase, min_size=2, max_size=8).filter(lambda word: word not in {"today", "yesterday"})
names = st.lists(words, min_size=1, max_size=3).map(" ".join)


def quote(name: str) -> str:
    return f'"{name}"' if " " in name else name


@given(
    title=names,
    employer=names,
    project=names,
    tags=st.lists(words, unique=True, max_size=4),
    skills=st.lists(words, unique=True, max_size=4),
    minutes=st.integers(0, 6_000),
    day=st.dates(types.FIRST_DAY, types.LAST_DAY),
    order=st.randoms(use_true_random=False),
)
def test_what_is_written_into_a_line_is_read_from_it(
    title: str, employer: str, project: str, tags: list[str], skills: list[str], minutes: int, day: date, order: object
) -> None:
    markers = [f"@{quote(employer)}", f"/{quote(project)}", f"!{minutes}m", f"on:{day.isoformat()}"]
    markers += [f"#{tag}" for tag in tags]
    order.shuffle(markers)  # type: ignore[attr-defined]
    line = " ".join([title, *markers, *(f"+{skill}" for skill in skills)])

    read = parse(line)
    assert (read.title, read.employer, read.project, read.occurred_on) == (title, employer, project, day)
    assert (set(read.tags), read.skills) == (set(tags), tuple(skills))
    assert read.hours == (Decimal(minutes) / 60).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
