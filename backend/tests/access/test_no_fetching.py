"""Whatever people write, no service calls an address of theirs: there is no feature that fetches one."""

import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from apps.common import clock
from apps.mail.delivery import deliver_due
from tests.access.requests import REQUESTS, build_address
from tests.access.world import World, undone
from tests.api_client import client_for
from tests.factories.mydata import make_export, read_export
from tests.factories.orchestration import FIRST_DAY, begin_report, make_writer, work
from tests.factories.worklog import make_entry

pytestmark = [pytest.mark.django_db, pytest.mark.failure("D10")]

# What decides how far a request gets: words of the contract, names of people, secrets and ids.
WORDS: Final = frozenset({"kind", "role", "username", "password", "current_password", "confirm", "member", "tenant"})
DAYS: Final = frozenset({"period_from", "period_to", "scopes"})
QUERY: Final = ("q", "cursor", "next", "url", "callback", "redirect", "employer", "tag", "actor", "format")
HEADERS: Final = ("Referer", "Origin", "X-Original-URL", "X-Forwarded-Host", "Forwarded")
# What takes an address for a text like any other; were it refused, nothing would be proved.
TAKEN: Final = {
    "author": ("PATCH me", "POST worklog-list", "PATCH worklog-detail", "POST employer-list", "POST tenant-passkeys"),
    "staff": ("POST admin-passkeys", "PATCH admin-user", "POST billing-admin-reserve-adjust", "POST tokens"),
}


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
        return f"http://127.0.0.1:{self.address[1]}/c.png"

    @property
    def markup(self) -> str:
        """The address wherever a renderer might look for one."""
        url = self.url
        return f"![a]({url}) <img src='{url}'> <link rel='stylesheet' href='{url}'> <a href='{url}'>b</a>"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def canary() -> Iterator[Canary]:
    made = Canary()
    yield made
    made.stop()


def rewrite(body: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The same request with `text` in the place of whatever a person types."""
    return {
        name: text if isinstance(value, str) and name not in WORDS | DAYS else value for name, value in body.items()
    }


def ask(operation: str, caller: str, world: World, canary: Canary, *, text: str) -> int:
    """The status of the operation with `text` in the place of all texts; with mails sent that it leads to."""
    method, name = operation.split()
    request = REQUESTS[operation]
    query = "&".join(f"{parameter}={canary.url}" for parameter in QUERY)
    address = f"{build_address(name, world, request).partition('?')[0]}?{query}"
    body = rewrite(request.body(world), text) if method != "GET" else None
    with undone():
        call = getattr(world.people.call(caller), method.lower())
        answer = call(address, body, headers=dict.fromkeys(HEADERS, canary.url) | dict(request.headers))
        deliver_due(clock=clock.now)
    status: int = answer.status_code
    return status


@pytest.mark.parametrize("caller", ["author", "staff"])
def test_addresses_in_requests_are_not_called(caller: str, world: World, canary: Canary) -> None:
    plain = {operation: ask(operation, caller, world, canary, text=canary.url) for operation in REQUESTS}
    for operation in REQUESTS:
        ask(operation, caller, world, canary, text=canary.markup)
    assert {operation for operation in TAKEN[caller] if plain[operation] >= 300} == set()
    assert canary.visits == 0


def test_an_address_in_the_worklog_is_in_every_file_and_not_called(canary: Canary) -> None:
    author = make_writer(entries=1)
    names = dict.fromkeys(("employer", "project", "role"), canary.url)
    fields: dict[str, Any] = names | {"body": canary.markup, "impact": canary.markup, "tags": [canary.url]}
    make_entry(author, f"Wrote {canary.url}", occurred_on=FIRST_DAY, **fields)
    job = work(begin_report(author, title=f"Report {canary.markup}"[:200]))
    client = client_for(author)
    files = [client.get(f"/api/reports/{job.subject_id}/export/?format={kind}") for kind in ("md", "json", "pdf")]
    assert [answer.status_code for answer in files] == [200, 200, 200]
    assert canary.url in files[1].content.decode()
    assert any(canary.url.encode() in content for content in read_export(make_export(author)).values())
    deliver_due(clock=clock.now)
    assert canary.visits == 0


def test_a_canary_that_is_called_says_so(canary: Canary) -> None:
    with socket.create_connection(canary.address) as caller:
        caller.recv(1)
    assert canary.visits == 1
