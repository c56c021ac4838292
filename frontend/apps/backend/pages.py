"""Lists of the API: one page and the cursors to its neighbours."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from apps.backend.decoding import UnexpectedShape, decode
from apps.backend.errors import BackendUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """`next_cursor` is what the next call passes as `cursor`; None on the last page."""

    results: tuple[T, ...]
    next_cursor: str | None = None
    previous_cursor: str | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)


@dataclass(frozen=True, slots=True)
class _RawPage:
    next: str | None
    previous: str | None


def read_page(kind: type[T], value: Any) -> Page[T]:
    """A page of `kind`; raises BackendUnavailable when the answer is not one."""
    raw = read(_RawPage, value)
    listed = value.get("results")
    if not isinstance(listed, list):
        raise BackendUnavailable("The backend's answer could not be read.", code="unexpected_answer")
    return Page(
        results=tuple(read(kind, item) for item in listed),
        next_cursor=_cursor(raw.next),
        previous_cursor=_cursor(raw.previous),
    )


def read(kind: type[T], value: Any) -> T:
    """`kind` from parsed JSON; raises BackendUnavailable when the answer breaks the contract."""
    try:
        return decode(kind, value)
    except UnexpectedShape as error:
        raise BackendUnavailable("The backend's answer could not be read.", code="unexpected_answer") from error


def read_all(kind: type[T], value: Any) -> tuple[T, ...]:
    """A list that the API gives whole; raises BackendUnavailable when the answer is none."""
    if not isinstance(value, list):
        raise BackendUnavailable("The backend's answer could not be read.", code="unexpected_answer")
    return tuple(read(kind, item) for item in value)


def _cursor(url: str | None) -> str | None:
    if url is None:
        return None
    return next(iter(parse_qs(urlsplit(url).query).get("cursor", [])), None)
