"""The catalogue of failures: rows, marks and the document agree."""

import sys
from pathlib import Path

import failure_catalogue
import pytest

ROWS = '[accounts]\ntitle = "Accounts"\nA01 = "Something breaks. It must not."\n'
MARKED = 'import pytest\n\n@pytest.mark.failure("A01")\ndef test_it_holds() -> None:\n    assert True\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("docs", *failure_catalogue.TEST_FOLDERS):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    (tmp_path / "docs" / "failures.toml").write_text(ROWS)
    (tmp_path / "backend" / "tests" / "test_house.py").write_text(MARKED)
    return tmp_path


def run(root: Path, word: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["failure_catalogue.py", word])
    return failure_catalogue.main(root)


def test_what_was_written_passes_the_check(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(root, "write", monkeypatch) == 0
    assert run(root, "check", monkeypatch) == 0
    assert "backend/tests/test_house.py::test_it_holds" in (root / "docs" / "failure-catalogue.md").read_text()


def test_a_test_that_has_gone_fails_the_check(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(root, "write", monkeypatch)
    (root / "backend" / "tests" / "test_house.py").unlink()
    assert run(root, "check", monkeypatch) == 1
    assert "A01: no test is marked with it." in capsys.readouterr().err


def test_a_mark_without_a_row_fails_the_check(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "tests" / "test_more.py").write_text(MARKED.replace("A01", "Z99"))
    run(root, "write", monkeypatch)
    assert run(root, "check", monkeypatch) == 1
    assert "Z99" in capsys.readouterr().err


def test_marks_of_modules_and_classes_count_for_their_tests(root: Path) -> None:
    (root / "tests" / "test_more.py").write_text(
        'import pytest\npytestmark = [pytest.mark.failure("A02"), pytest.mark.django_db]\n\n'
        '@pytest.mark.failure("A03")\nclass TestIt:\n    def test_inside(self) -> None: ...\n\n'
        "    def helper(self) -> None: ...\n"
    )
    found = failure_catalogue.collect(root)
    assert found["A02"] == found["A03"] == ["tests/test_more.py::TestIt::test_inside"]
