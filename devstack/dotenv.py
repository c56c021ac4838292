"""The `.env` file of the repository and the files of generated secrets: lines of NAME=value."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

NAME = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


class DotenvError(ValueError):
    """A line that is neither an assignment nor a comment; the message names file and line."""


def read(path: Path) -> dict[str, str]:
    """Return the assignments of a file, nothing for an absent one.

    Values may stand in single or double quotes; unquoted ones end at ` #`. Nothing is expanded.
    """
    if not path.exists():
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = NAME.fullmatch(text)
        if match is None:
            raise DotenvError(f"{path}:{number}: expected NAME=value.")
        found[match[1]] = _unquoted(match[2].strip())
    return found


def write_private(path: Path, values: Mapping[str, str]) -> None:
    """Replace a file by these assignments, readable by its owner alone."""
    replace_private(path, "".join(f"{name}={value}\n" for name, value in values.items()))


def replace_private(path: Path, content: str) -> None:
    """Replace a file's content, readable by its owner alone; a crash leaves the old file, and a reader never a half."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with open(handle, "w") as file:  # noqa: PTH123 - a descriptor
        file.write(content)
    Path(fresh).replace(path)


def _unquoted(value: str) -> str:
    for quote in ("'", '"'):
        if len(value) >= 2 and value.startswith(quote) and value.endswith(quote):
            return value[1:-1]
    return value.split(" #", maxsplit=1)[0].rstrip()
