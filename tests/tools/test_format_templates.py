"""Templates have one form."""

from pathlib import Path

import format_templates
import pytest

UNTIDY = "{%load i18n%}\t\n<p>{{x}}</p>  \n\n\n"
TIDY = "{% load i18n %}\n<p>{{ x }}</p>\n"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "frontend" / "templates" / "page.html"
    path.parent.mkdir(parents=True)
    path.write_text(UNTIDY)
    return path


def test_formatting_writes_the_one_form(tmp_path: Path, template: Path) -> None:
    assert format_templates.main([], root=tmp_path) == 0
    assert template.read_text() == TIDY


def test_a_check_fails_and_changes_nothing(tmp_path: Path, template: Path) -> None:
    assert format_templates.main(["--check"], root=tmp_path) == 1
    assert template.read_text() == UNTIDY


@pytest.mark.parametrize("text", ["<p>x</p> \n", "<p>x</p>", "\t<p>x</p>\n", "<p>x</p>\n\n"])
def test_whitespace_alone_fails_the_check(tmp_path: Path, template: Path, text: str) -> None:
    template.write_text(text)
    assert format_templates.main(["--check"], root=tmp_path) == 1


def test_a_formatted_template_passes_the_check(tmp_path: Path, template: Path) -> None:
    template.write_text(TIDY)
    assert format_templates.main(["--check"], root=tmp_path) == 0


def test_templates_inside_an_app_count_and_other_files_do_not(tmp_path: Path) -> None:
    mail = tmp_path / "backend" / "apps" / "accounts" / "templates" / "mail.txt"
    code = tmp_path / "backend" / "apps" / "accounts" / "notes.txt"
    mail.parent.mkdir(parents=True)
    mail.touch()
    code.touch()
    assert format_templates.templates(tmp_path) == [mail]


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    assert format_templates.main(["--fix"], root=tmp_path) == 2
