"""Services and selectors: typed functions that are called by keyword, and no clock below the edges."""

import ast
from pathlib import Path

from tests.architecture.source import APPS, Function, list_functions, list_modules, name_place, parse

# The only places that may ask what time it is: edges towards people, and towards the servers of others.
EDGES = {"api", "workers", "common", "management", "providers", "admin"}
# They take the pair that `lock_running` gives.
TAKE_A_PAIR = {"complete_run", "fail_run"}


def is_service(path: Path) -> bool:
    parts = path.relative_to(APPS).parts
    return parts[0] not in {"api", "workers"} and any(
        part.removesuffix(".py") in {"services", "selectors"} for part in parts[1:]
    )


def list_service_functions() -> list[tuple[Path, Function]]:
    return [
        (path, node)
        for path in list_modules()
        if is_service(path)
        for node in parse(path).body
        if isinstance(node, Function) and not node.name.startswith("_")
    ]


def test_there_are_services_to_look_at() -> None:
    assert len(list_service_functions()) > 20


def test_services_take_at_most_one_thing_by_position() -> None:
    # A rule reads as a sentence: check_can_edit(actor, entry).
    loose = [
        f"{name_place(path, node)} {node.name}"
        for path, node in list_service_functions()
        if len([*node.args.posonlyargs, *node.args.args]) > 1
        and not node.name.startswith(("check_can_", "can_"))
        and node.name not in TAKE_A_PAIR
    ]
    assert loose == []


def test_only_edges_read_the_clock() -> None:
    readers = [
        name_place(path)
        for path, node in list_functions()
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call)
        and ast.unparse(inner.func) in {"clock.now", "timezone.now", "datetime.now", "date.today", "datetime.today"}
        and not EDGES & set(path.relative_to(APPS).parts)
        and path.name not in {"admin.py", "mails.py", "middleware.py"}
    ]
    assert readers == []
