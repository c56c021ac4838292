"""Prints the part of requirements.lock that one service needs: `cut_lock.py backend requirements.lock`.

The lock names for each package who asked for it ("via"). Walking these remarks down from the service's own pyproject
file keeps every version and hash of the lock, so an image holds what the tests ran with and none of the test tools.
Runs in the images' build stage: standard library only.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

_PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==")
_VIA = re.compile(r"^\s+# +(?:via\s+)?([A-Za-z0-9][^\s]*)")


class CutError(ValueError):
    """The lock does not say who asked for what."""


def blocks(lock: str) -> Iterator[tuple[str, str, set[str]]]:
    """Yield (package, its lines, who asked for it); platforms that need other versions have blocks of their own."""
    current: list[str] = []
    for line in [*lock.splitlines(), "end==0"]:
        if _PINNED.match(line):
            if current:
                yield _describe(current)
            current = []
        if current or _PINNED.match(line):
            current.append(line)


def _describe(lines: list[str]) -> tuple[str, str, set[str]]:
    found = _PINNED.match(lines[0])
    if found is None:
        raise CutError(f"Not a pinned package: {lines[0]}")
    asked_by = {match[1] for line in lines if (match := _VIA.match(line)) and match[1] != "via"}
    if not asked_by:
        raise CutError(f"The lock does not say who asked for {found[1]}.")
    return found[1], "\n".join(lines), asked_by


def cut(lock: str, *, service: str) -> str:
    """Return the lines of the lock that `service` ("backend" or "frontend") needs."""
    known = list(blocks(lock))
    wanted = {f"afterresume-{service}"}
    while True:
        more = {name for name, _, asked_by in known if asked_by & wanted} - wanted
        if not more:
            break
        wanted |= more
    kept = [text for name, text, _ in known if name in wanted]
    if not kept:
        raise CutError(f"The lock has nothing for {service}.")
    return "\n".join(kept) + "\n"


def main() -> int:
    """Print the cut lock."""
    service, path = sys.argv[1:]
    sys.stdout.write(cut(Path(path).read_text(), service=service))
    return 0


if __name__ == "__main__":
    sys.exit(main())
