"""Nothing that anybody writes makes this service call an address: there is one backend, and it is configured."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Final

import pytest

from tests.access.callers import browser_of
from tests.access.crawl import crawl, get_with, post_all
from tests.access.disguises import every_text
from tests.access.requests import send
from tests.access.world import World, undone
from tests.fakes.server import Reply

pytestmark = [pytest.mark.django_db, pytest.mark.failure("D10")]

NAMES: Final = ("next", "cursor", "q", "url", "redirect", "return_url", "from", "tenant", "saved", "entry")


class Canary:
    """A server on loopback that counts who comes."""

    def __init__(self) -> None:
        self.visits = 0
        canary = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                canary.visits += 1

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.address[1]}/canary.png"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def canary() -> Iterator[Canary]:
    made = Canary()
    yield made
    made.stop()


def test_addresses_in_what_the_backend_says_are_not_called(world: World, canary: Canary) -> None:
    text = f"{canary.url} ![a]({canary.url}) <img src={canary.url}>"
    with every_text(world.fake, lambda _: text):
        shown = [answer for _, answer in crawl(world) if canary.url.encode() in getattr(answer, "content", b"")]
    assert len(shown) > 40
    assert canary.visits == 0


def test_addresses_in_forms_and_queries_are_not_called(world: World, canary: Canary) -> None:
    visits = [*post_all(world, lambda _: canary.url), *get_with(world, dict.fromkeys(NAMES, canary.url))]
    assert len(visits) > 100
    assert canary.visits == 0


def test_addresses_in_headers_are_not_called(world: World, canary: Canary) -> None:
    names = ("Referer", "Origin", "HX-Current-URL", "X-Forwarded-Host", "X-Original-URL", "Forwarded", "True-Client-IP")
    with undone(world.fake):
        browser_of("staff", world).get("/worklog/", headers=dict.fromkeys(names, canary.url))
    assert canary.visits == 0


@pytest.mark.parametrize("operation", ["GET accounts:profile", "POST worklog:quick-add", "GET reporting:download"])
def test_a_redirect_of_the_backend_is_not_followed(operation: str, world: World, canary: Canary) -> None:
    plain = world.fake.disguise
    world.fake.disguise = lambda _, __: Reply(status=307, headers={"Location": canary.url})
    with undone(world.fake):
        send(browser_of("staff", world), operation, world)
    world.fake.disguise = plain
    assert canary.visits == 0


def test_a_canary_that_is_called_says_so(canary: Canary) -> None:
    with socket.create_connection(canary.address) as caller:
        caller.recv(1)
    assert canary.visits == 1
