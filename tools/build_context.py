"""Which files an image gets: the build context after .dockerignore, and a final stage laid out in a folder.

The layout lets a test run an image's own commands outside a container, on the files that the image would hold.
"""

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dockerfiles


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One line of .dockerignore."""

    pattern: re.Pattern[str]
    is_exception: bool


def read_rules(text: str) -> list[Rule]:
    """Parse .dockerignore: `*` within a name, `**` across folders, `!` for exceptions; the last match decides."""
    lines = [line.strip() for line in text.splitlines()]
    return [
        Rule(pattern=_compiled(line.removeprefix("!").strip("/")), is_exception=line.startswith("!"))
        for line in lines
        if line and not line.startswith("#")
    ]


def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    tokens = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    body = "".join(parts.get(token, re.escape(token)) for token in tokens)
    # A pattern that names a folder takes everything below it.
    return re.compile(rf"{body}(?:/.*)?")


def is_included(name: str, rules: Iterable[Rule]) -> bool:
    """Say whether the file of this path, relative to the context, reaches a build."""
    included = True
    for rule in rules:
        if rule.pattern.fullmatch(name):
            included = rule.is_exception
    return included


def files_below(source: Path, *, root: Path, rules: Iterable[Rule]) -> Iterator[Path]:
    """Yield the files of `source` (a file or a folder of the context) that reach a build."""
    rules = list(rules)
    for path in [source] if source.is_file() else sorted(source.rglob("*")):
        if path.is_file() and is_included(path.relative_to(root).as_posix(), rules):
            yield path


def lay_out(stage: dockerfiles.Stage, *, root: Path, target: Path) -> None:
    """Copy into `target`, as if it were the image's `/`, what the stage copies from the context."""
    rules = read_rules((root / ".dockerignore").read_text())
    folder = target
    for item in stage.instructions:
        if item.name == "WORKDIR":
            folder = target / item.rest.strip("/")
        if item.name == "COPY" and not item.flag("from"):
            *sources, destination = item.arguments
            into = target / destination.strip("/") if destination.startswith("/") else folder / destination
            for source in sources:
                _copy(root / source, into=into, root=root, rules=rules)


def _copy(source: Path, *, into: Path, root: Path, rules: list[Rule]) -> None:
    for path in files_below(source, root=root, rules=rules):
        copy = into / (path.name if source.is_file() else path.relative_to(source))
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, copy)
