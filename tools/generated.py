"""Writes the generated files, or says whether they are what the code gives: `generated.py write | check`.

Generated are contracts/openapi.yaml and docs/states/*.md; missing migrations are judged here too, since all of them
need the backend's settings and so the servers of `devstack.with_servers`.
"""

import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAIRS = (("openapi.yaml", ROOT / "contracts" / "openapi.yaml"), ("states", ROOT / "docs" / "states"))


def manage(service: str, *arguments: str) -> None:
    """Runs a management command with the test settings; its failure ends this program."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings.test"}
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT / service, env=environment, check=True, stdout=subprocess.DEVNULL)


def generate(folder: Path) -> None:
    manage("backend", "spectacular", "--file", str(folder / "openapi.yaml"), "--validate", "--fail-on-warn")
    manage("backend", "export_states", str(folder / "states"))


def is_same(fresh: Path, kept: Path) -> bool:
    if fresh.is_dir():
        names = {path.name for path in fresh.iterdir()} | {path.name for path in kept.glob("*")}
        _, different, missing = filecmp.cmpfiles(fresh, kept, sorted(names), shallow=False)
        return not different and not missing
    return kept.is_file() and fresh.read_bytes() == kept.read_bytes()


def check(folder: Path) -> int:
    stale = [str(kept.relative_to(ROOT)) for name, kept in PAIRS if not is_same(folder / name, kept)]
    for path in stale:
        print(f"{path} is not what the code gives. Run: ./taskw generate", file=sys.stderr)
    for service in ("backend", "frontend"):
        manage(service, "makemigrations", "--check", "--dry-run")
    return 1 if stale else 0


def write(folder: Path) -> int:
    for name, kept in PAIRS:
        if (folder / name).is_dir():
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(folder / name, kept)
        else:
            kept.parent.mkdir(exist_ok=True)
            shutil.copyfile(folder / name, kept)
    return 0


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder)
        return write(folder) if sys.argv[1:] == ["write"] else check(folder)


if __name__ == "__main__":
    sys.exit(main())
