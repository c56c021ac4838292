"""Joins docs/failures.toml with the tests that protect against its rows: `failure_catalogue.py write | check`.

A test names its rows by `@pytest.mark.failure("A01", ...)`, on itself, its class or as the module's `pytestmark`. The
result is docs/failure-catalogue.md. A row without a test, a mark without a row and a stale document are errors.
"""

import ast
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
TEST_FOLDERS: Final = ("backend/tests", "frontend/tests", "tests")
Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def read_ids(node: ast.AST) -> Iterator[str]:
    """The ids in every `pytest.mark.failure(...)` inside an expression."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.failure":
            yield from (str(argument.value) for argument in call.args if isinstance(argument, ast.Constant))


def read_own_ids(scope: Scope) -> set[str]:
    """The ids that a module, class or function is marked with."""
    if not isinstance(scope, ast.Module):
        return {mark for decorator in scope.decorator_list for mark in read_ids(decorator)}
    marks = [
        node.value
        for node in scope.body
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "pytestmark" for target in node.targets)
    ]
    return {mark for node in marks for mark in read_ids(node)}


def find_tests(scope: Scope, prefix: str, inherited: frozenset[str] = frozenset()) -> Iterator[tuple[str, str]]:
    """Pairs of a row's id and a test's name, for every test inside the scope."""
    marks = inherited | read_own_ids(scope)
    for node in scope.body:
        if isinstance(node, ast.ClassDef):
            yield from find_tests(node, f"{prefix}::{node.name}", marks)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield from ((mark, f"{prefix}::{node.name}") for mark in sorted(marks | read_own_ids(node)))


def collect(root: Path) -> dict[str, list[str]]:
    """The tests of each row's id."""
    found: dict[str, list[str]] = defaultdict(list)
    for folder in TEST_FOLDERS:
        for path in sorted((root / folder).rglob("test_*.py")):
            for mark, name in find_tests(ast.parse(path.read_text()), path.relative_to(root).as_posix()):
                found[mark].append(name)
    return found


def render(groups: dict[str, dict[str, str]], tests: dict[str, list[str]]) -> str:
    """The document."""
    lines = [
        "# Failure catalogue",
        "",
        "What can go wrong, what must happen then, and the tests that fail without the protection. Written by",
        "`./taskw generate` from failures.toml and the tests' marks; change those, not this file.",
    ]
    for group in groups.values():
        lines += ["", f"## {group['title']}", "", "| Id | Failure, and what must happen | Tests |", "|---|---|---|"]
        for row, text in group.items():
            if row != "title":
                names = "<br>".join(f"`{name}`" for name in tests.get(row, ()))
                lines.append(f"| {row} | {text} | {names} |")
    return "\n".join(lines) + "\n"


def find_faults(groups: dict[str, dict[str, str]], tests: dict[str, list[str]]) -> list[str]:
    """What is wrong between rows and marks, in sentences."""
    rows = {row for group in groups.values() for row in group if row != "title"}
    unprotected = [f"{row}: no test is marked with it." for row in sorted(rows - tests.keys())]
    unknown = [
        f"{row}: marked by {tests[row][0]}, but not in docs/failures.toml." for row in sorted(tests.keys() - rows)
    ]
    return unprotected + unknown


def main(root: Path = ROOT) -> int:
    groups = tomllib.loads((root / "docs" / "failures.toml").read_text())
    tests = collect(root)
    document, page = root / "docs" / "failure-catalogue.md", render(groups, tests)
    if sys.argv[1:] == ["write"]:
        document.write_text(page)
        return 0
    faults = find_faults(groups, tests)
    if not document.is_file() or document.read_text() != page:
        faults.append("docs/failure-catalogue.md is not what the tests say. Run: ./taskw generate")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
