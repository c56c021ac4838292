"""Reading our own source."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

BACKEND: Final = Path(__file__).resolve().parents[2]
APPS: Final = BACKEND / "apps"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def list_modules() -> tuple[Path, ...]:
    """Every module of the product that a person writes."""
    return tuple(sorted(path for path in APPS.rglob("*.py") if "migrations" not in path.parts))


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def list_functions() -> Iterator[tuple[Path, Function]]:
    """Every function and method with the module that it stands in."""
    for path in list_modules():
        for node in ast.walk(parse(path)):
            if isinstance(node, Function):
                yield path, node


def name_place(path: Path, node: ast.AST | None = None) -> str:
    """`apps/x/y.py:12`, as an editor opens it."""
    line = f":{node.lineno}" if isinstance(node, ast.stmt) else ""
    return f"{path.relative_to(BACKEND)}{line}"
