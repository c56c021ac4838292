"""`python -m theme.sync` (in frontend/): fetch the pinned packages and copy what is in use into static/theme/."""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from theme.sources import (
    FILES,
    ICON_SOURCE,
    MANIFEST_NAME,
    SPRITE_NAME,
    TARGET_DIR,
    THEME_DIR,
    listed_icons,
    sums_of,
)

_SOURCE_MAP_NOTE = re.compile(rb"\n?/\*# sourceMappingURL=[^*]*\*/")
_SVG_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_SYMBOL = (
    '<symbol id="{name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" '
    'stroke-linejoin="round">{body}</symbol>\n'
)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="theme-sync-") as folder:
        work = Path(folder)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(THEME_DIR / name, work / name)
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=work, check=True)
        staged = work / "theme"
        copy_files(work / "node_modules", staged)
        (staged / SPRITE_NAME).write_text(build_sprite(work / "node_modules" / ICON_SOURCE, listed_icons()))
        (staged / MANIFEST_NAME).write_text(json.dumps(sums_of(staged), indent=2) + "\n")
        shutil.rmtree(TARGET_DIR, ignore_errors=True)
        shutil.copytree(staged, TARGET_DIR)
    print(f"{len(sums_of(TARGET_DIR))} files in {TARGET_DIR}")


def copy_files(modules: Path, target: Path) -> None:
    """Copy the files in use, without notes of source maps: the maps stay behind, and hashed storage asks for them."""
    for name, source in FILES.items():
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        content = (modules / source).read_bytes()
        destination.write_bytes(_SOURCE_MAP_NOTE.sub(b"", content) if name.endswith(".css") else content)


def build_sprite(icons: Path, names: list[str]) -> str:
    """One SVG file with a symbol for each icon; raises FileNotFoundError for a name that the package does not have."""
    symbols = []
    for name in names:
        found = _SVG_BODY.search((icons / f"{name}.svg").read_text())
        if found is None:
            raise ValueError(f"{name}.svg is not what the sprite expects")
        body = re.sub(r"\s*\n\s*", "", found.group(1)).strip()
        symbols.append(_SYMBOL.format(name=name, body=body))
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{"".join(symbols)}</svg>\n'


if __name__ == "__main__":
    main()
