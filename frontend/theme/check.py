"""`python -m theme.check` (in frontend/): the theme is what its manifest says, and the templates use just that."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from theme.sources import FRONTEND_DIR, MANIFEST_NAME, SPRITE_NAME, TARGET_DIR, listed_icons, sums_of

_ICON_IN_TEMPLATE = re.compile(r"""(?:\bicon\s+|\bicon=)["']([a-z0-9-]+)["']""")
_ICON_IN_PYTHON = re.compile(r"""(?:\bicon=|["']icon["']:\s*)["']([a-z0-9-]+)["']""")
_FOREIGN = re.compile(r"""(?:src|href|action|hx-get|hx-post|url)\s*[=(]\s*["']?(?:https?:)?//""", re.IGNORECASE)
_OWN_CSS_LINES = 300


def main() -> int:
    problems = [*drift(), *foreign_addresses(), *icon_mismatches(), *oversized_css()]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def drift() -> Iterator[str]:
    """Files of the theme that differ from the manifest, are missing or are not in it."""
    recorded: dict[str, str] = json.loads((TARGET_DIR / MANIFEST_NAME).read_text())
    present = sums_of(TARGET_DIR)
    for name in sorted(recorded.keys() | present.keys()):
        if recorded.get(name) != present.get(name):
            yield f"static/theme/{name} is not the file of the manifest: run `task theme:sync`, edit nothing there"


def foreign_addresses() -> Iterator[str]:
    """Addresses of other hosts that a page would load from or send to."""
    for path in [*_templates(), *_own_static(".css"), *_own_static(".js")]:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if _FOREIGN.search(line):
                yield f"{path.relative_to(FRONTEND_DIR)}:{number}: pages load nothing from other hosts"


def icon_mismatches() -> Iterator[str]:
    """Icons that are used but not in the sprite, or listed but used nowhere."""
    listed = set(listed_icons())
    sprite = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (TARGET_DIR / SPRITE_NAME).read_text()))
    used = set(used_icons())
    for name in sorted(used - listed):
        yield f"icon {name} is used but not in theme/icons.txt"
    python = "\n".join(path.read_text() for path in (FRONTEND_DIR / "apps").rglob("*.py"))
    for name in sorted(name for name in listed - used if f'"{name}"' not in python):
        yield f"icon {name} is in theme/icons.txt but used nowhere"
    if listed != sprite:
        yield "static/theme/icons.svg is not made from theme/icons.txt: run `task theme:sync`"


def used_icons() -> Iterator[str]:
    for path in _templates():
        yield from _ICON_IN_TEMPLATE.findall(path.read_text())
    for path in (FRONTEND_DIR / "apps").rglob("*.py"):
        yield from _ICON_IN_PYTHON.findall(path.read_text())


def oversized_css() -> Iterator[str]:
    lines = sum(len(path.read_text().splitlines()) for path in _own_static(".css"))
    if lines >= _OWN_CSS_LINES:
        yield f"our own CSS has {lines} lines; it stays under {_OWN_CSS_LINES}"


def _templates() -> Iterable[Path]:
    return sorted((FRONTEND_DIR / "templates").rglob("*.html"))


def _own_static(suffix: str) -> Iterable[Path]:
    return sorted((FRONTEND_DIR / "static" / "app").rglob(f"*{suffix}"))


if __name__ == "__main__":
    sys.exit(main())
