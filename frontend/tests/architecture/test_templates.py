"""Rules of the page that no linter knows."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from theme.sources import FRONTEND_DIR

TEMPLATES = sorted((FRONTEND_DIR / "templates").rglob("*.html"))
RULES = {
    "inline handlers": re.compile(r"\son[a-z]+\s*=", re.IGNORECASE),
    "inline styles": re.compile(r"\sstyle\s*=|<style", re.IGNORECASE),
    "evaluated htmx": re.compile(r"hx-on|hx-vals=['\"]js:|hx-headers=['\"]js:|hx-trigger=\"[^\"]*\["),
    "unsafe output": re.compile(r"\|\s*safe\b|autoescape off"),
    "a script written in the page": re.compile(r"<script(?![^>]*\bsrc=)", re.IGNORECASE),
    "the bare word passkey": re.compile(r"(?<!nvite )(?<!with-)\bpasskey\b(?!\.|_)(?=[^%}]*<)", re.IGNORECASE),
}


def violations(rule: re.Pattern[str]) -> Iterator[str]:
    for path in TEMPLATES:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if rule.search(line):
                yield f"{path.relative_to(FRONTEND_DIR)}:{number}: {line.strip()[:80]}"


@pytest.mark.parametrize("name", RULES)
def test_templates_are_free_of(name: str) -> None:
    assert list(violations(RULES[name])) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: Path(path).stem)
def test_a_form_that_posts_carries_the_token(path: Path) -> None:
    forms = re.findall(r'<form[^>]*method="post".*?</form>', path.read_text(), re.DOTALL)
    assert all("csrf" in form for form in forms)
