"""Files that both services have alike, because neither may import the other: a change to one is a change to both."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", ["config/strictness.py"])
def test_the_twins_are_alike(path: str) -> None:
    assert (ROOT / "backend" / path).read_text() == (ROOT / "frontend" / path).read_text()
