"""An HTTP server in a thread on loopback, whose answers are functions: the part of the fake that knows no API."""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request as it came in. Header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Token ")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """`drip` sends the body byte by byte with that many seconds between; `cut` closes without an answer."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: float = 0.0
    delay: float = 0.0
    cut: bool = False


Answer = Callable[[Received, "re.Match[str]"], Reply]


class FakeServer:
    """Routes requests to answers and keeps what came in. `stop` and `start` keep the port, as a restart would.

    `disguise` may change each answer on its way out.
    """

    def __init__(self, port: int = 0) -> None:
        self.received: list[Received] = []
        self._routes: list[tuple[str, re.Pattern[str], Answer]] = []
        self.disguise: Callable[[Received, Reply], Reply] = lambda _, reply: reply
        self._overrides: list[tuple[str, str, Reply, int]] = []
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def route(self, method: str, pattern: str, answer: Answer) -> None:
        self._routes.append((method, re.compile(pattern), answer))

    def answer_with(self, method: str, path: str, reply: Reply, *, times: int = 1_000_000) -> None:
        """Answer `path` this way the next `times` times, whatever is routed there."""
        self._overrides.append((method, path, reply, times))

    def calls_of(self, method: str, path: str) -> list[Received]:
        return [call for call in self.received if (call.method, call.path) == (method, path)]

    def start(self) -> None:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                fake.serve(self)

            do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *args: Any) -> None:
                """A client that hung up is what some tests are about."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        self._server = None

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        received = _read(handler)
        self.received.append(received)
        reply = self.disguise(received, self._override(received) or self._routed(received))
        time.sleep(reply.delay)
        if reply.cut or self._server is None:
            handler.close_connection = True
            return
        try:
            _write(handler, reply)
        except (BrokenPipeError, ConnectionResetError):
            handler.close_connection = True

    def _override(self, received: Received) -> Reply | None:
        for number, (method, path, reply, times) in enumerate(self._overrides):
            if (method, path) == (received.method, received.path) and times > 0:
                self._overrides[number] = (method, path, reply, times - 1)
                return reply
        return None

    def _routed(self, received: Received) -> Reply:
        for method, pattern, answer in self._routes:
            match = pattern.fullmatch(received.path)
            if match and method == received.method:
                return answer(received, match)
        return Reply(
            status=404, body={"error": "No such address.", "code": "not_found", "fields": {}, "request_id": ""}
        )


def _read(handler: BaseHTTPRequestHandler) -> Received:
    parts = urlsplit(handler.path)
    raw = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    return Received(
        method=handler.command,
        path=parts.path,
        query=dict(parse_qsl(parts.query)),
        headers={name.lower(): value for name, value in handler.headers.items()},
        body=json.loads(raw) if raw else None,
    )


def _write(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    raw = (
        reply.body if isinstance(reply.body, bytes) else b"" if reply.body is None else json.dumps(reply.body).encode()
    )
    handler.send_response(reply.status)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(raw)), **reply.headers}
    # An empty value leaves a header out, for answers of another framing.
    for name, value in headers.items():
        if value:
            handler.send_header(name, value)
    handler.end_headers()
    if not reply.drip:
        handler.wfile.write(raw)
        return
    for byte in raw:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(reply.drip)
