"""Every page by one pair of eyes that sees all: staff with a second factor, who owns the tenant."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.access.callers import browser_of
from tests.access.requests import REQUESTS, build_address, send
from tests.access.routes import list_routes
from tests.access.world import World, undone

Visit = tuple[str, Any]
WATCHER: Final = "staff"


def list_pages() -> list[str]:
    return [f"GET {name}" for name in sorted(list_routes())]


def crawl(world: World, *, caller: str = WATCHER) -> Iterator[Visit]:
    """Each address as a page and as HTMX asks for it."""
    for operation in list_pages():
        for is_htmx in (False, True):
            with undone(world.fake):
                yield operation, send(browser_of(caller, world), operation, world, is_htmx=is_htmx)


def post_all(world: World, change: Callable[[str], str]) -> Iterator[Visit]:
    """Each form, with every value of it changed."""
    for operation, request in REQUESTS.items():
        if operation.startswith("GET"):
            continue
        form = {name: _changed(value, change) for name, value in request.form(world).items()}
        for is_htmx in (False, True):
            with undone(world.fake):
                browser = browser_of(WATCHER, world)
                yield operation, send(browser, operation, world, is_htmx=is_htmx, form=form)


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    return [change(one) for one in value] if isinstance(value, list) else change(value)


def get_with(world: World, query: dict[str, str]) -> Iterator[Visit]:
    """Each page with a query that it may or may not understand."""
    for operation in list_pages():
        with undone(world.fake):
            address = build_address(operation, world)
            yield operation, browser_of(WATCHER, world).get(address, query)
