"""Looks through every tracked file for what must not be in the repository: secrets, and addresses of others' servers.

Secrets: keys and tokens by their shape, and random-looking values given to names like SECRET, PASSWORD or KEY (a value
that begins with `only-for-tests` says what it is). Addresses: package registries, because the lock files must work with
any mirror, and content delivery networks, because the product loads nothing from elsewhere. A finding names file, line
and rule, never the text.
"""

import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
# Bits a character. Words and addresses stay below, keys in hexadecimal or base64 lie above.
MIN_RANDOM_ENTROPY: Final = 3.4
DECLARED_HARMLESS: Final = "only-for-tests"

# Written in parts, so that this file is not its own first finding.
REGISTRIES: Final = (
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"),
    ("npmmirror", "com"), ("docker", "io"), ("ghcr", "io"), ("quay", "io"), ("proxy", "golang", "org"),
    ("rubygems", "org"), ("crates", "io"),
)  # fmt: skip
DELIVERY_NETWORKS: Final = (
    ("jsdelivr", "net"), ("unpkg", "com"), ("cdnjs", "cloudflare", "com"), ("bootstrapcdn", "com"), ("esm", "sh"),
    ("cdn", "tailwindcss", "com"), ("fonts", "googleapis", "com"), ("fonts", "gstatic", "com"), ("skypack", "dev"),
    ("ajax", "googleapis", "com"), ("code", "jquery", "com"), ("polyfill", "io"), ("fontawesome", "com", "releases"),
)  # fmt: skip

SHAPES: Final = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE" r" KEY-----",
    "an API token of AfterResume": r"\bar_[A-Za-z0-9]{24,}",
    "a live Stripe key": r"\b[srp]k_live_[A-Za-z0-9]{8,}",
    "a Stripe webhook secret": r"\bwhsec_[A-Za-z0-9+/]{16,}",
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a model provider's key": r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{24,}",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{30,}",
}
ASSIGNMENT: Final = re.compile(
    r"""(?P<name>[A-Za-z0-9_.-]*(?:SECRET|PASSWORD|PASSWD|TOKEN|KEY)[A-Za-z0-9_]*)["']?\s*[:=]\s*["']?"""
    r"""(?P<value>[A-Za-z0-9+/=_.~-]{20,})""",
    re.IGNORECASE,
)
UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Loaded by a browser from elsewhere, whoever's server it is.
REMOTE_ASSET: Final = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc\s*=\s*["']?(?:https?:)?//|<link\b[^>]*\bhref\s*=\s*["']?(?:https?:)?//"""
    r"""|@import\s+(?:url\()?["']?(?:https?:)?//""",
    re.IGNORECASE,
)
FORBIDDEN_NAMES: Final = re.compile(
    r"(?:^|/)(?:\.env|secrets\.env|id_(?:rsa|ed25519|ecdsa)|.*\.(?:pem|key|p12|pfx|kdbx))$"
)


def _of_hosts(hosts: tuple[tuple[str, ...], ...]) -> re.Pattern[str]:
    names = "|".join(re.escape(".".join(parts)) for parts in hosts)
    return re.compile(rf"(?<![A-Za-z0-9-])(?:{names})(?![A-Za-z0-9-])", re.IGNORECASE)


_PATTERNS: Final = {
    **{text: re.compile(pattern) for text, pattern in SHAPES.items()},
    "the address of a package registry": _of_hosts(REGISTRIES),
    "the address of a content delivery network": _of_hosts(DELIVERY_NETWORKS),
}


def entropy(text: str) -> float:
    """Return Shannon's entropy in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def is_alphabet(value: str) -> bool:
    """Say whether a value is written down in order, like 0123456789abcdef: long, mixed, and nobody's secret."""
    steps = [ord(after) - ord(before) == 1 for before, after in pairwise(value)]
    return sum(steps) > 0.8 * len(steps)


def looks_random(value: str) -> bool:
    """Say whether a value is more like a generated secret than like words, a path, a name or an identifier."""
    if value.lower().startswith(DECLARED_HARMLESS) or UUID.fullmatch(value) or is_alphabet(value):
        return False
    has_mixture = any(letter.isdigit() for letter in value) and any(letter.isalpha() for letter in value)
    words = [part for part in re.split(r"[-_./=+~]", value) if part]
    is_words = all(
        part.isdigit() or re.fullmatch(r"[A-Za-z]?[a-z]{0,14}\d{0,2}|[A-Z]{1,14}\d{0,2}", part) for part in words
    )
    return has_mixture and not is_words and entropy(value) >= MIN_RANDOM_ENTROPY


def findings_in(text: str, *, is_served: bool = True) -> Iterator[tuple[int, str]]:
    """Yield line number and what is wrong there. Tests are not served: they may quote what must not be loaded."""
    for number, line in enumerate(text.splitlines(), start=1):
        for what, pattern in _PATTERNS.items():
            if pattern.search(line):
                yield number, what
        if is_served and REMOTE_ASSET.search(line):
            yield number, "an asset that a browser would load from elsewhere"
        if any(looks_random(match["value"]) for match in ASSIGNMENT.finditer(line)):
            yield number, "a random value given to the name of a secret"


def tracked_files(root: Path) -> list[str]:
    """Return the paths that git tracks."""
    output = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True).stdout
    return [name for name in output.decode().split("\0") if name]


def problems(root: Path) -> list[str]:
    """Return a sentence for each finding in the tracked files below `root`."""
    found: list[str] = []
    for name in tracked_files(root):
        if FORBIDDEN_NAMES.search(name):
            found.append(f"{name}: a file of this name is never committed.")
        path = root / name
        content = path.read_bytes() if path.is_file() else b""
        if b"\0" not in content:
            findings = findings_in(content.decode(errors="replace"), is_served="tests" not in Path(name).parts)
            found += [f"{name}:{number}: {what}." for number, what in findings]
    return found


def main() -> int:
    """Print the findings."""
    found = problems(ROOT)
    for text in found:
        print(text, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
