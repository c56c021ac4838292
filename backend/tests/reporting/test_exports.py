"""The exports: three forms with the same words, and no text that becomes a mark."""

import io
import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from apps.common.ids import uuid7
from apps.common.tenancy import TenantId
from apps.llm.types import Writer
from apps.reporting import render
from apps.reporting.render.as_markdown import escape
from apps.reporting.types import Bullet, Document, ReportKind, ReportNotReady, ReportState, ReportView, Section
from apps.worklog.types import FrozenEntry
from tests.factories.reporting import FIRST_DAY, LAST_DAY, NOW, freeze, freeze_many

HOSTILE = [
    '#read("/etc/passwd")',
    "$ x^2 $ and \\u{41} and \\#",
    "@source-1 <source-1> label",
    '#include "/etc/hosts" // comment /* more */',
    "*bold* _em_ `code` ~~gone~~ | table |",
    "[link](https://evil.example) ![img](https://evil.example/x.png)",
    "<script>alert(1)</script> &lt;b&gt;",
    "= heading == and - list + list 1. list",
    "1) first",
    "- dash",
    "C# and F# #",
    "===",
    "\"quoted\" and 'single' -- dashes --- ... dots",
]


def make_report(*texts: str, entries: list[FrozenEntry] | None = None, title: str = "My quarter") -> ReportView:
    """A ready report whose bullets say the given texts, each citing the entry at its place (a lone one cites all)."""
    kept = entries or [freeze(text, employer=text, impact=text) for text in texts]
    cited = [(entry.id,) for entry in kept] if len(texts) > 1 else [tuple(entry.id for entry in kept)]
    bullets = tuple(
        Bullet(f"b{number}", text, entry_ids)
        for number, (text, entry_ids) in enumerate(zip(texts, cited, strict=False), start=1)
    )
    return ReportView(
        id=uuid7(),
        tenant=TenantId(uuid7()),
        author_id=uuid7(),
        kind=ReportKind.BRAG_DOCUMENT,
        title=title,
        state=ReportState.READY,
        period_from=FIRST_DAY,
        period_to=LAST_DAY,
        job_id=uuid7(),
        writer=Writer("builtin", "builtin-writer-1", "Built-in writer"),
        prompt_version="brag_document/1",
        rate_card="Starter v1",
        entry_count=len(kept),
        bullet_count=len(bullets),
        created_at=NOW,
        finished_at=NOW,
        can_delete=True,
        author_name="Ada Lovelace",
        document=Document(title, "Ada Lovelace · October", (Section(texts[0] if texts else "Empty", bullets),)),
        entries=tuple(kept),
    )


def read_pdf(report: ReportView) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(render.pdf(report)))


def pdf_words(report: ReportView) -> list[str]:
    """The words of all pages, without the page numbers at their feet."""
    pages = [page.extract_text().strip() for page in read_pdf(report).pages]
    return words("\n".join(re.sub(r"\d+ / \d+\Z", "", page) for page in pages))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.replace("\u200b", ""))


def walk(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from walk(token.children or [])


def shown(markdown: str) -> str:
    """The text that a reader of rendered Markdown sees, block by block, list numbers included."""
    tokens = list(walk(MarkdownIt("commonmark").parse(markdown)))
    return "\n".join(
        f"{token.info} " if token.type == "list_item_open" else token.content
        for token in tokens
        if token.type in {"text", "code_inline", "html_inline", "html_block", "list_item_open"}
    )


def marks(markdown: str) -> set[str]:
    tokens = walk(MarkdownIt("commonmark").enable("strikethrough").enable("table").parse(markdown))
    return {token.type for token in tokens}


def test_markdown_has_title_sections_citations_and_the_entries() -> None:
    entry = freeze("Cut the run", employer="Acme", project="Billing", impact="Saved 3 h")
    lines = render.markdown(make_report("Cut the run to 6 min.", entries=[entry], title="Q4")).splitlines()
    assert lines[0] == "# Q4"
    assert "- Cut the run to 6 min. [1]" in lines
    assert lines[-1] == "1. 1 October 2026: **Cut the run** (Acme, Billing): Saved 3 h"


def test_an_entry_without_place_and_impact_is_just_its_day_and_title() -> None:
    lines = render.markdown(make_report("Done.", entries=[freeze("Wrote the guide")])).splitlines()
    assert lines[-1] == "1. 1 October 2026: **Wrote the guide**"


@pytest.mark.parametrize("text", HOSTILE)
def test_pdf_shows_any_text_as_it_stands(text: str) -> None:
    report = make_report(text)
    assert " ".join(words(text)) in " ".join(pdf_words(report))
    assert "root:" not in " ".join(pdf_words(report))


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_any_text_as_it_stands(text: str) -> None:
    [paragraph] = [token for token in MarkdownIt("commonmark").parse(f"- {escape(text)}") if token.type == "inline"]
    assert "".join(child.content for child in paragraph.children or []) == text


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("#*_[]()<>!`~|\\-+=.1:&"), max_size=60))
def test_no_text_becomes_a_mark_in_markdown(text: str) -> None:
    allowed = marks(render.markdown(make_report("plain")))
    report = make_report(text or "x", title=" ".join(text.split()) or "x")
    assert marks(render.markdown(report)) <= allowed | {"text_special"}


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("abc 19#$@\\\"'()[]{}<>*_`~/=+-:;,.!?|^&%"), min_size=1, max_size=50))
def test_no_text_is_read_as_markup_in_the_pdf(text: str) -> None:
    line = f"begin {' '.join(text.split())} end"
    found = re.sub(r"\s", "", "".join(page.extract_text() for page in read_pdf(make_report(line)).pages))
    assert re.sub(r"\s", "", line) in found


def test_pdf_and_markdown_have_the_same_words() -> None:
    entries = freeze_many(25)
    texts = [f"{entry.title} for {entry.employer}, ½ of it “quoted”" for entry in entries]
    report = make_report(*texts, entries=entries)
    assert pdf_words(report) == words(shown(render.markdown(report)))


def test_pdf_names_title_author_and_the_moment_of_finishing() -> None:
    about = read_pdf(make_report("Done.")).metadata
    assert about is not None
    assert (about.title, about.author, about.creation_date) == ("My quarter", "Ada Lovelace", NOW)


def test_the_same_report_gives_the_same_bytes() -> None:
    report = make_report("Done.", entries=freeze_many(3))
    assert render.pdf(report) == render.pdf(report)
    assert render.markdown(report) == render.markdown(report)
    assert render.json(report) == render.json(report)


def test_a_citation_in_the_pdf_leads_to_its_entry() -> None:
    page = read_pdf(make_report("Done.", entries=freeze_many(2))).pages[0]
    links = [item.get_object() for item in page["/Annots"]]  # type: ignore[attr-defined]
    assert [link["/Subtype"] for link in links] == ["/Link", "/Link"]


def test_a_word_longer_than_a_line_stays_on_the_page() -> None:
    report = make_report("See https://example.org/" + "a" * 300 + " there.")
    assert "a" * 300 in "".join(pdf_words(report))
    widest = max(len(line) for page in read_pdf(report).pages for line in page.extract_text().splitlines())
    assert widest < 150


def test_a_report_without_sections_is_still_a_report() -> None:
    report = make_report(entries=[freeze()])
    assert "Entries" in pdf_words(report)


def test_json_ties_bullets_to_entries() -> None:
    report = make_report("Done.", entries=[freeze()])
    value: dict[str, Any] = json.loads(render.json(report))
    [bullet] = value["document"]["sections"][0]["bullets"]
    assert bullet["entry_ids"] == [entry["id"] for entry in value["entries"]]
    assert value["period"] == {"from": "2026-10-01", "to": "2026-12-31"}
    assert value["writer"]["prompt_version"] == "brag_document/1"


@pytest.mark.parametrize("export", [render.pdf, render.markdown, render.json])
def test_a_report_that_is_not_ready_has_no_exports(export: Any) -> None:
    pending = replace(make_report("Done."), document=None, finished_at=None)
    with pytest.raises(ReportNotReady):
        export(pending)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("My quarter", "my-quarter-2026-10-01-to-2026-12-31.pdf"),
        ("../../etc/passwd", "etcpasswd-2026-10-01-to-2026-12-31.pdf"),
        ("四半期", "report-2026-10-01-to-2026-12-31.pdf"),
    ],
)
def test_a_file_name_is_plain_whatever_the_title(title: str, name: str) -> None:
    assert render.make_file_name(make_report("x", title=title), "pdf") == name


def test_a_long_report_is_set_in_a_moment() -> None:
    entries = freeze_many(200)
    report = make_report(*(entry.title for entry in entries), entries=entries)
    render.pdf(replace(report, period_from=date(2026, 1, 1)))
    started = time.process_time()
    assert len(render.pdf(replace(report, title="Another"))) > 10_000
    assert time.process_time() - started < 3
