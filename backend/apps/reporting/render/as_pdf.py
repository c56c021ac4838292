"""A report as PDF, set by Typst. The text reaches the template as data, so none of it is ever read as markup."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

from apps.reporting.render.outline import APPENDIX_HEADING, Outline, make_outline
from apps.reporting.types import ReportView

# Only ASCII: other scripts break by their own rules, and their letters may be several characters.
_LONG_WORD: Final = re.compile(r"[!-~]{48,}")

_TEMPLATE: Final = Path(__file__).with_name("document.typ")


def pdf(report: ReportView) -> bytes:
    """The report's PDF; the same report gives the same bytes. Raises ReportNotReady."""
    data = _as_data(make_outline(report), author=report.author_name)
    return typst.compile(
        _read_template(),
        font_paths=_find_fonts(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        # Typst takes whole seconds.
        timestamp=None if report.finished_at is None else report.finished_at.replace(microsecond=0),
    )


def _as_data(outline: Outline, *, author: str) -> Mapping[str, Any]:
    about = {"title": outline.title, "author": author}
    return {**_let_long_words_break(asdict(outline)), "about": about, "appendix": APPENDIX_HEADING}


def _let_long_words_break(value: Any) -> Any:
    """Allows a break anywhere in a word longer than a line, such as an address: a zero-width space shows nothing.

    Done to the data, because a rule in the template costs more than all the rest of the layout.
    """
    if isinstance(value, str):
        return _LONG_WORD.sub(lambda word: "\u200b".join(word.group()), value)
    if isinstance(value, dict):
        return {name: _let_long_words_break(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_let_long_words_break(item) for item in value]
    return value


@cache
def _read_template() -> bytes:
    return _TEMPLATE.read_bytes()


@cache
def _find_fonts() -> typst.Fonts:
    """Typst's own fonts, which set all Latin, Greek and Cyrillic text; the machine's only for scripts beyond them."""
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True)
