"""What the theme consists of: which files of which package are in use, and where they go."""

import hashlib
from pathlib import Path
from typing import Final

THEME_DIR: Final = Path(__file__).resolve().parent
FRONTEND_DIR: Final = THEME_DIR.parent
TARGET_DIR: Final = FRONTEND_DIR / "static" / "theme"
MANIFEST_NAME: Final = "manifest.json"
SPRITE_NAME: Final = "icons.svg"
ICONS_LIST: Final = THEME_DIR / "icons.txt"

# Target name -> path below node_modules. Tabler's script is left out: the shell uses <dialog> and <details>. Tabler's
# MIT notice is the head of its CSS; the package has no licence file.
FILES: Final = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "inter-latin.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
    "inter-latin-ext.woff2": "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2",
    "newsreader-latin.woff2": "@fontsource-variable/newsreader/files/newsreader-latin-wght-normal.woff2",
    "newsreader-latin-ext.woff2": "@fontsource-variable/newsreader/files/newsreader-latin-ext-wght-normal.woff2",
    "licences/tabler-icons.txt": "@tabler/icons/LICENSE",
    "licences/inter.txt": "@fontsource-variable/inter/LICENSE",
    "licences/newsreader.txt": "@fontsource-variable/newsreader/LICENSE",
}
ICON_SOURCE: Final = "@tabler/icons/icons/outline"


def listed_icons() -> list[str]:
    """The names in icons.txt, in its order; lines that begin with # are remarks."""
    lines = (line.strip() for line in ICONS_LIST.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def sums_of(folder: Path) -> dict[str, str]:
    """Relative name -> SHA-256 of each file below `folder`, the manifest left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST_NAME
    }
