"""The answer to the ASVS: every requirement once, with a verdict, and with tests that exist."""

from pathlib import Path

import asvs_check
import pytest

ROW = "| V1.1.1 | 2 | Decode once | **Met.** By the framework. | `backend/tests/test_house.py::test_it_stands` |"
HOUSE = """
def test_it_stands() -> None:
    assert True


class TestRoof:
    def test_it_is_tight(self) -> None:
        assert True
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "backend" / "tests").mkdir(parents=True)
    (tmp_path / "backend" / "tests" / "test_house.py").write_text(HOUSE)
    monkeypatch.setattr(asvs_check, "CHAPTERS", {"V1": 1})
    return tmp_path


def faults_of(root: Path, *rows: str) -> str:
    return " ".join(asvs_check.find_faults("\n".join(rows), root))


def test_this_repositorys_answer_is_in_order() -> None:
    assert asvs_check.main() == 0


def test_a_row_with_a_verdict_and_a_test_that_exists_passes(root: Path) -> None:
    assert faults_of(root, ROW) == ""
    assert faults_of(root, ROW.replace("::test_it_stands", "::TestRoof::test_it_is_tight")) == ""


@pytest.mark.parametrize("gone", ["test_it_fell", "TestRoof::test_it_stands", "test_it_stand"])
def test_a_test_that_is_not_there_is_named(root: Path, gone: str) -> None:
    assert f"test_house.py::{gone}: there is no such test" in faults_of(root, ROW.replace("test_it_stands", gone))


def test_a_file_that_is_not_there_has_no_tests(root: Path) -> None:
    assert "there is no such test" in faults_of(root, ROW.replace("test_house", "test_garden"))


def test_a_requirement_stands_once(root: Path) -> None:
    assert "V1.1.1: stands there 2 times" in faults_of(root, ROW, ROW)


def test_a_requirement_that_was_left_out_is_noticed(root: Path) -> None:
    assert "V1: 0 requirements, where 1 are expected" in faults_of(root, "| No | Level |", "|---|---|")


@pytest.mark.parametrize(
    ("was", "now"), [("**Met.**", "**Surely.**"), ("**Met.** ", ""), ("| 2 |", "| 3 |"), ("Decode once", "a | b")]
)
def test_a_row_without_form_is_refused(root: Path, was: str, now: str) -> None:
    assert faults_of(root, ROW.replace(was, now)) != ""


def test_what_is_met_is_shown_by_something(root: Path) -> None:
    empty = ROW.replace("`backend/tests/test_house.py::test_it_stands`", "")
    assert "what is met names a test" in faults_of(root, empty)
    assert faults_of(root, empty.replace("**Met.**", "**Not met.**")) == ""


def test_a_fault_fails_the_check_and_says_where(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["asvs_check.py", "check"])
    (root / "docs" / "asvs.md").write_text(ROW.replace("test_it_stands", "test_it_fell"))
    assert asvs_check.main(root) == 1
    assert capsys.readouterr().err.startswith("docs/asvs.md: ")
    (root / "docs" / "asvs.md").write_text(ROW)
    assert asvs_check.main(root) == 0
