"""Formats the Django templates of both services, or with --check says which ones are not as they should be.

djade decides about tags and filters; whitespace at line ends, tabs and the final newline are decided here.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PLACES: Final = ("frontend/templates", "frontend/apps", "backend/templates", "backend/apps")
DJADE: Final = Path(sys.executable).with_name("djade")
TARGET_VERSION: Final = "5.2"


def templates(root: Path) -> list[Path]:
    """Return the templates: HTML, text and the sources of documents in `templates` folders."""
    found = [path for place in PLACES for path in (root / place).rglob("*") if path.suffix in {".html", ".txt"}]
    return sorted(path for path in found if "templates" in path.relative_to(root).parts)


def tidied(text: str) -> str:
    """Return the text without tabs and whitespace at line ends, with exactly one newline at its end."""
    lines = [line.expandtabs(2).rstrip() for line in text.splitlines()]
    return "\n".join(lines).strip("\n") + "\n" if any(lines) else ""


def untidy(paths: list[Path]) -> list[Path]:
    """Return the templates whose whitespace is not right."""
    return [path for path in paths if tidied(path.read_text()) != path.read_text()]


def run_djade(paths: list[Path], *, is_check: bool) -> int:
    """Run djade over the templates and return its exit code; it names the files itself."""
    flags = ["--check"] if is_check else []
    return subprocess.run([DJADE, "--target-version", TARGET_VERSION, *flags, *paths], check=False).returncode


def format_all(paths: list[Path]) -> int:
    """Write every template as it should be."""
    for path in untidy(paths):
        path.write_text(tidied(path.read_text()))
    # djade ends with 1 when it has changed something: here that is the aim.
    return 0 if run_djade(paths, is_check=False) in {0, 1} else 2


def check_all(paths: list[Path]) -> int:
    """Name the templates that are not as they should be."""
    wrong = untidy(paths)
    for path in wrong:
        print(f"{path}: whitespace is not right. Run: ./taskw format", file=sys.stderr)
    return 1 if run_djade(paths, is_check=True) or wrong else 0


def main(arguments: list[str], *, root: Path = ROOT) -> int:
    """Format or check."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {Path(__file__).name} [--check]", file=sys.stderr)
        return 2
    paths = templates(root)
    if not paths:
        return 0
    return check_all(paths) if arguments else format_all(paths)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
