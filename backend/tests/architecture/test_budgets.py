"""Budgets of writing: short functions, short modules, imports at the top."""

import ast
from typing import Final

from tests.architecture.source import Function, list_functions, list_modules, name_place, parse

MAX_FUNCTION_LINES: Final = 40
MAX_MODULE_LINES: Final = 400


def count_lines(node: Function) -> int:
    """Lines of the body. Neither what a function takes nor what it says about itself makes it long."""
    first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
    return (node.end_lineno or first.lineno) - first.lineno + 1


def test_functions_are_short() -> None:
    long = {
        f"{name_place(path, node)} {node.name}": length
        for path, node in list_functions()
        if (length := count_lines(node)) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_modules_are_short() -> None:
    lengths = {name_place(path): len(path.read_text(encoding="utf-8").splitlines()) for path in list_modules()}
    assert {name: length for name, length in lengths.items() if length > MAX_MODULE_LINES} == {}


def test_imports_stand_at_the_top_of_a_module() -> None:
    hidden = [
        name_place(path, inner)
        for path, node in list_functions()
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_every_module_says_what_it_is_for() -> None:
    # What every app has and Django asks for speaks for itself.
    silent = [
        name_place(path)
        for path in list_modules()
        if path.name not in {"__init__.py", "apps.py", "urls.py"} and not ast.get_docstring(parse(path))
    ]
    assert silent == []
