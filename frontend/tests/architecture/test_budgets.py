"""Sizes that keep a file readable in one sitting."""

import ast
from collections.abc import Iterator

from theme.sources import FRONTEND_DIR

FUNCTION_LINES = 40
MODULE_LINES = 400
SOURCES = [path for folder in ("apps", "config", "theme") for path in (FRONTEND_DIR / folder).rglob("*.py")]


def long_functions() -> Iterator[str]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > FUNCTION_LINES:
                    yield f"{path.relative_to(FRONTEND_DIR)}: {node.name} has {lines} lines"


def test_functions_are_short() -> None:
    assert list(long_functions()) == []


def test_modules_are_short() -> None:
    long = [path.name for path in SOURCES if len(path.read_text().splitlines()) > MODULE_LINES]
    assert long == []
