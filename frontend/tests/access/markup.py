"""What a browser would make of a page: handlers, scripts and links that nobody of ours has put there."""

import re
from html.parser import HTMLParser
from typing import Any, Final

_ADDRESSES: Final = frozenset({"href", "src", "action", "formaction", "data", "poster", "srcset", "xlink:href"})
_HTMX: Final = re.compile(r"hx-(?:get|post|put|patch|delete)")
_RUNS: Final = re.compile(r"(?:javascript|vbscript|data):", re.IGNORECASE)
_INVISIBLE: Final = re.compile(r"[\x00-\x20\u200b-\u200f\u202a-\u202e\u2028\u2029\ufeff]")
_EVALUATED: Final = re.compile(r"^\s*(?:js|javascript):|\[")


class _Reader(HTMLParser):
    def __init__(self, nonce: str) -> None:
        super().__init__()
        self.nonce = nonce
        self.faults: list[str] = []
        self.htmx: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        is_ours = bool(self.nonce) and named.get("nonce") == self.nonce
        if tag in {"script", "style"} and not named.get("src") and not is_ours:
            self.faults.append(f"an inline {tag}")
        if tag in {"iframe", "object", "embed", "base"}:
            self.faults.append(f"<{tag}>")
        for name, value in named.items():
            self._look_at(tag, name, value)

    def _look_at(self, tag: str, name: str, value: str) -> None:
        if name.startswith(("on", "hx-on")) or name == "style":
            self.faults.append(f"<{tag} {name}={value[:40]!r}>")
        if _HTMX.fullmatch(name):
            self.htmx.add((name.removeprefix("hx-").upper(), value))
        is_address = name in _ADDRESSES or _HTMX.fullmatch(name)
        if is_address and _RUNS.match(_INVISIBLE.sub("", value)):
            self.faults.append(f"<{tag} {name}={value[:40]!r}>")
        if name in {"hx-vals", "hx-headers", "hx-trigger"} and _EVALUATED.search(value):
            self.faults.append(f"<{tag} {name}={value[:40]!r}>")


def body_of(response: Any) -> str:
    raw: bytes = b"".join(response.streaming_content) if response.streaming else response.content
    return raw.decode(errors="replace")


def is_page(response: Any) -> bool:
    return "text/html" in response.headers.get("Content-Type", "")


def nonce_of(response: Any) -> str:
    """The nonce that the policy names; "" when it names none."""
    found = re.search(r"'nonce-([^']+)'", response.headers.get("Content-Security-Policy", ""))
    return found[1] if found else ""


def faults_in(response: Any) -> list[str]:
    """What would run, or lead to something that runs, though no page of ours needs it."""
    return _read(response).faults


def htmx_calls_in(response: Any) -> set[tuple[str, str]]:
    """Method and address of whatever HTMX may ask from this page."""
    return _read(response).htmx


def _read(response: Any) -> _Reader:
    reader = _Reader(nonce_of(response))
    reader.feed(response.content.decode())
    return reader
