"""Every address of this service by name, from the URL configuration itself."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """An address: what answers there, and what varies in it."""

    view: Callable[..., Any]
    arguments: tuple[str, ...]


def list_routes() -> dict[str, tuple[str, ...]]:
    """The names of all addresses, and of what varies in each."""
    return {name: route.arguments for name, route in _walk(get_resolver(), "", ())}


def find_view(name: str) -> Callable[..., Any]:
    """What answers at the address of that name."""
    return dict(_walk(get_resolver(), "", ()))[name].view


def _walk(resolver: URLResolver, namespace: str, arguments: tuple[str, ...]) -> Iterator[tuple[str, Route]]:
    for entry in resolver.url_patterns:
        varying = arguments + tuple(re.findall(r"<(?:\w+:)?(\w+)>", str(entry.pattern)))
        if isinstance(entry, URLPattern):
            assert entry.name, f"{entry.pattern} needs a name to stand in the matrix"
            yield f"{namespace}{entry.name}", Route(view=entry.callback, arguments=varying)
        else:
            yield from _walk(entry, f"{namespace}{entry.namespace}:" if entry.namespace else namespace, varying)
