"""The little HTTP that the stand-ins need: requests, answers, and answers that go wrong on purpose."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from devstack.net import LOOPBACK

MAX_BODY_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request, read whole."""

    method: str
    path: str
    query_string: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """Return the body as JSON; raises ValueError."""
        found: object = json.loads(self.body)
        return found

    def json_object(self) -> dict[str, object]:
        """Return the body as a JSON object; raises ValueError when it is something else."""
        found = self.json()
        if not isinstance(found, dict):
            raise ValueError("expected a JSON object")  # noqa: TRY004 - the caller answers 400 to both
        return found

    def parameter(self, name: str, default: str = "") -> str:
        """Return the first value of a query parameter."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True, kw_only=True)
class Response:
    """One HTTP answer.

    `cut_after` closes the connection when that many bytes of the body are out (the length announced is the whole).
    `chunks` takes the place of `body` for an answer that is streamed until the connection closes.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    chunks: Iterable[bytes] | None = None


Application = Callable[[Request], Response | None]


def json_response(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return `value` as a JSON answer."""
    return Response(status=status, body=json.dumps(value).encode(), headers=headers or {})


def html_response(page: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a page as an answer."""
    return Response(status=status, body=page.encode(), content_type="text/html; charset=utf-8", headers=headers or {})


def redirect(location: str) -> Response:
    """Return the answer that sends a browser elsewhere after a POST."""
    return Response(status=303, headers={"Location": location}, content_type="text/plain")


def make_server(application: Application, *, port: int) -> ThreadingHTTPServer:
    """Return a server on a loopback port (0: any free one). An answer of None closes the connection without a word."""

    class Handler(_Handler):
        pass

    Handler.application = staticmethod(application)
    server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    server.daemon_threads = True
    return server


@contextmanager
def serving(application: Application) -> Iterator[str]:
    """Serve on an ephemeral port for the length of the block; yield the address."""
    server = make_server(application, port=0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "AfterResumeStandIn"
    # Head and body leave in one packet: in two, the second waits 40 ms for the other side's delayed acknowledgement.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    application: Application

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.close_connection = True
            self._write(json_response({"error": "body too large"}, status=413))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query_string=parts.query,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        # The other side may be gone (it was killed, or its deadline has passed): that is its business.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._write(type(self).application(request))

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve  # noqa: N815 - http.server's names

    def _write(self, response: Response | None) -> None:
        if response is None:
            self.close_connection = True
            return
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        for name, value in response.headers.items():
            self.send_header(name, value)
        if response.chunks is None:
            self.send_header("Content-Length", str(len(response.body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if response.chunks is None:
            self.wfile.write(response.body[: response.cut_after])
            self.close_connection = self.close_connection or response.cut_after is not None
            return
        for chunk in response.chunks:
            self.wfile.write(chunk)
            self.wfile.flush()
