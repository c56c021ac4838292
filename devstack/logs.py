"""Reading the programs' logs: the last lines of one, or all of them as they grow."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

COLOURS = (36, 33, 35, 32, 34, 31, 96, 93, 95)
POLL_S = 0.25


def tail(path: Path, *, lines: int) -> str:
    """Return the last lines of a file, nothing for an absent one."""
    if not path.exists():
        return ""
    with path.open(errors="replace") as file:
        return "".join(deque(file, maxlen=lines))


def follow(paths: Mapping[str, Path], *, is_over: Callable[[], bool]) -> Iterator[tuple[str, str]]:
    """Yield (name, line) as the files grow, until `is_over` says so; a file that was rotated is read from its start."""
    offsets = {name: path.stat().st_size if path.exists() else 0 for name, path in paths.items()}
    while not is_over():
        for name, path in paths.items():
            for line in _read_more(path, offsets, name):
                yield name, line
        time.sleep(POLL_S)


def prefixer(names: Sequence[str], *, is_coloured: bool) -> Callable[[str, str], str]:
    """Return the function that puts a program's name before a line, in a colour of its own on a terminal."""
    width = max((len(name) for name in names), default=0)
    colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(names)}

    def prefixed(name: str, line: str) -> str:
        label = f"{name:<{width}} |"
        return f"\x1b[{colours[name]}m{label}\x1b[0m {line}" if is_coloured else f"{label} {line}"

    return prefixed


def _read_more(path: Path, offsets: dict[str, int], name: str) -> list[str]:
    if not path.exists():
        return []
    if path.stat().st_size < offsets[name]:
        offsets[name] = 0
    with path.open("rb") as file:
        file.seek(offsets[name])
        data = file.read()
    # An unfinished last line waits for its rest.
    complete = data[: data.rfind(b"\n") + 1]
    offsets[name] += len(complete)
    return complete.decode(errors="replace").splitlines()
