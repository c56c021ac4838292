from pathlib import Path

import pytest

from theme import check, sync


def test_the_committed_theme_is_in_order() -> None:
    assert check.main() == 0


def test_an_edited_file_is_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "manifest.json").write_text('{"a.css": "0000", "gone.css": "1111"}')
    (tmp_path / "a.css").write_text("edited")
    (tmp_path / "b.css").write_text("smuggled")
    monkeypatch.setattr(check, "TARGET_DIR", tmp_path)
    assert [problem.split(" ")[0] for problem in check.drift()] == [
        "static/theme/a.css",
        "static/theme/b.css",
        "static/theme/gone.css",
    ]


@pytest.mark.parametrize("line", ['<script src="https://cdn.example/x.js">', "@import url(//cdn.example/x.css)"])
def test_another_host_is_refused(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "templates" / "x.html"
    page.parent.mkdir()
    page.write_text(line)
    monkeypatch.setattr(check, "FRONTEND_DIR", tmp_path)
    assert len(list(check.foreign_addresses())) == 1


def test_icons_are_neither_missing_nor_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "x.html").write_text('{% icon "used" %}{% button "x" icon="absent" %}')
    (tmp_path / "icons.svg").write_text('<symbol id="used"')
    monkeypatch.setattr(check, "FRONTEND_DIR", tmp_path)
    monkeypatch.setattr(check, "TARGET_DIR", tmp_path)
    monkeypatch.setattr(check, "listed_icons", lambda: ["used", "idle"])
    assert [problem.split(" is ")[0] for problem in check.icon_mismatches()] == [
        "icon absent",
        "icon idle",
        "static/theme/icons.svg",
    ]


def test_the_sprite_takes_a_symbol_from_each_file(tmp_path: Path) -> None:
    (tmp_path / "dot.svg").write_text('<svg width="24">\n  <path d="M1 1" />\n</svg>')
    sprite = sync.build_sprite(tmp_path, ["dot"])
    assert '<symbol id="dot" viewBox="0 0 24 24"' in sprite
    assert '><path d="M1 1" /></symbol>' in sprite


def test_our_own_css_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "static" / "app"
    own.mkdir(parents=True)
    (own / "a.css").write_text("x\n" * 300)
    monkeypatch.setattr(check, "FRONTEND_DIR", tmp_path)
    assert len(list(check.oversized_css())) == 1
