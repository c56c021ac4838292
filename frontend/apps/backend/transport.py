"""One pooled connection to the backend for the whole process, and one function through which every call goes."""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import httpx
import stamina

from apps.backend import deadline
from apps.backend.errors import (
    BackendError,
    BackendUnavailable,
    Conflict,
    Forbidden,
    Invalid,
    NotAuthenticated,
    NotFound,
    PaymentRequired,
    RateLimited,
    ReauthenticationRequired,
    SecondFactorRequired,
)
from apps.backend.visitor import Visitor

READ_DEADLINE: Final = 5.0
WRITE_DEADLINE: Final = 10.0
DOWNLOAD_DEADLINE: Final = 60.0
CONNECT_TIMEOUT: Final = 1.0
MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
MAX_DOWNLOAD_BYTES: Final = 64 * 1024 * 1024
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_MAX_ATTEMPTS: Final = 3
_DEFAULT_RETRY_AFTER: Final = 30  # seconds
_UNREACHABLE: Final = "AfterResume's backend does not answer at the moment."

# The connection failed before or while the answer came; a repeatable call may have better luck with a new one.
_PASSING_FAILURES: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.RemoteProtocolError,
)

QueryValue = str | int | bool | None
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: `deadline` is in seconds and covers all attempts; None takes the default of its method."""

    method: str
    path: str
    query: Mapping[str, QueryValue] = field(default_factory=dict)
    payload: Mapping[str, Any] | None = None
    idempotency_key: str = ""
    deadline: float | None = None

    @property
    def is_repeatable(self) -> bool:
        return self.method in _SAFE_METHODS or bool(self.idempotency_key)

    @property
    def seconds(self) -> float:
        return self.deadline or (READ_DEADLINE if self.method in _SAFE_METHODS else WRITE_DEADLINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file on its way. `chunks` may be read once; reading it to its end, or closing it, frees the connection."""

    content_type: str
    filename: str
    length: int | None
    chunks: "Chunks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A transport bound to one person's token and one request's id, on behalf of whoever sent it.

    `support_grant` is the id of the grant by which staff look at another person's data, empty otherwise.
    """

    transport: "Transport"
    token: str = ""
    request_id: str = ""
    visitor: Visitor | None = None
    support_grant: str = ""

    @property
    def headers(self) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Token {self.token}"
        if self.request_id:
            headers["X-Request-ID"] = self.request_id
        if self.support_grant:
            headers["X-Support-Grant"] = self.support_grant
        if self.visitor is not None:
            headers |= self.visitor.headers(request_id=self.request_id, minute=int(time.time()) // 60)
        return headers

    def send(self, call: Call) -> Any:
        """The parsed JSON of the answer (None when it has no body); raises a BackendError."""
        return self.transport.send(call, headers=self.headers)

    def download(self, call: Call) -> Download:
        """A file, not yet read; raises a BackendError when the answer is not one."""
        return self.transport.download(call, headers={**self.headers, "Accept": "*/*"})


class Transport:
    """Thread-safe. Connections are kept for 4 s only: less than any server keeps them, so they are rarely stale."""

    def __init__(self, *, base_url: str, max_connections: int = 40) -> None:
        limits = httpx.Limits(
            max_connections=max_connections, max_keepalive_connections=max_connections, keepalive_expiry=4.0
        )
        self._client = httpx.Client(
            base_url=base_url,
            transport=deadline.DeadlineTransport(limits=limits),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def send(self, call: Call, *, headers: Mapping[str, str]) -> Any:
        """One call within its deadline, retried while it may be; the answer's JSON."""

        def attempt() -> tuple[httpx.Response, bytes]:
            with contextlib.closing(self._open(call, headers=headers)) as response:
                return response, _read(response)

        ends_at = time.monotonic() + call.seconds
        response, body = _persist(call, ends_at=ends_at, attempt=attempt)
        if not response.is_success:
            raise _refusal(response, body=body)
        return _parse(response, body=body) if body else None

    def download(self, call: Call, *, headers: Mapping[str, str]) -> Download:
        """Like `send`, but leaves the body on the wire for whoever reads the chunks."""
        ends_at = time.monotonic() + (call.deadline or DOWNLOAD_DEADLINE)
        response = _persist(call, ends_at=ends_at, attempt=lambda: self._open(call, headers=headers))
        if not response.is_success:
            with deadline.until(ends_at), contextlib.closing(response):
                raise _refusal(response, body=_read(response))
        length = response.headers.get("Content-Length", "")
        return Download(
            content_type=response.headers.get("Content-Type", "application/octet-stream"),
            filename=_filename(response.headers.get("Content-Disposition", "")),
            length=int(length) if length.isdigit() else None,
            chunks=Chunks(response, ends_at=ends_at),
        )

    def _open(self, call: Call, *, headers: Mapping[str, str]) -> httpx.Response:
        extra = {"Idempotency-Key": call.idempotency_key} if call.idempotency_key else {}
        request = self._client.build_request(
            call.method,
            call.path,
            params={name: _query_text(value) for name, value in call.query.items() if value not in (None, "")},
            json=call.payload,
            headers={**headers, **extra},
            timeout=httpx.Timeout(call.seconds, connect=CONNECT_TIMEOUT, pool=CONNECT_TIMEOUT),
        )
        return self._client.send(request, stream=True)


class Chunks:
    """The bytes of a download within its deadline and size; `close` may come before the first is read."""

    def __init__(self, response: httpx.Response, *, ends_at: float) -> None:
        self._response = response
        self._raw = response.iter_bytes()
        self._ends_at = ends_at
        self._left = MAX_DOWNLOAD_BYTES

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            with deadline.until(self._ends_at):
                chunk = next(self._raw)
        except httpx.TransportError as error:
            raise BackendUnavailable(_UNREACHABLE, code="cut_off") from error
        self._left -= len(chunk)
        if self._left < 0:
            self.close()
            raise BackendUnavailable("The file is larger than this page may pass on.", code="answer_too_large")
        return chunk

    def close(self) -> None:
        self._response.close()


def _persist(call: Call, *, ends_at: float, attempt: Callable[[], T]) -> T:
    """Run `attempt` until it holds, within `ends_at`; a failure of the network becomes BackendUnavailable."""

    def bounded() -> T:
        with deadline.until(ends_at):
            return attempt()

    retrying = stamina.RetryingCaller(
        attempts=_MAX_ATTEMPTS if call.is_repeatable else 1,
        timeout=max(ends_at - time.monotonic(), 0),
        wait_initial=0.05,
        wait_max=0.4,
        wait_jitter=0.1,
    )
    try:
        return retrying(_PASSING_FAILURES, bounded)
    except httpx.TimeoutException as error:
        raise BackendUnavailable(_UNREACHABLE, code="deadline") from error
    except httpx.TransportError as error:
        raise BackendUnavailable(_UNREACHABLE, code="unreachable") from error


def _query_text(value: QueryValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise BackendUnavailable(_UNREACHABLE, code="answer_too_large")
    return bytes(body)


def _parse(response: httpx.Response, *, body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        request_id = response.headers.get("X-Request-ID", "")
        raise BackendUnavailable(_UNREACHABLE, code="no_json", request_id=request_id) from error


_KINDS: Final[Mapping[int, type[BackendError]]] = {
    401: NotAuthenticated,
    402: PaymentRequired,
    404: NotFound,
    409: Conflict,
}
_INVALID_STATUSES: Final = frozenset({400, 413, 415, 422})


def _refusal(response: httpx.Response, *, body: bytes) -> BackendError:
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    told: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
    code = str(told.get("code") or f"http_{response.status_code}")
    request_id = str(told.get("request_id") or response.headers.get("X-Request-ID", ""))
    message = str(told.get("error") or "")
    if response.status_code in _INVALID_STATUSES:
        sentence = message or "Something in this is not right."
        return Invalid(sentence, code=code, request_id=request_id, fields=_fields(told.get("fields")))
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        sentence = message or "That was too much at once. Please wait a moment."
        return RateLimited(sentence, code=code, request_id=request_id, retry_after=_retry_after(response))
    if response.status_code == httpx.codes.FORBIDDEN and told:
        return _forbidden(message, code=code, request_id=request_id, challenge=told.get("challenge"))
    kind = _KINDS.get(response.status_code)
    if kind is not None and told:
        return kind(message, code=code, request_id=request_id)
    # Also a 404 that is not the API's own: something else listens there.
    return BackendUnavailable(message or _UNREACHABLE, code=code, request_id=request_id)


def _forbidden(message: str, *, code: str, request_id: str, challenge: object) -> Forbidden:
    if code == "second_factor_required":
        asked = challenge if isinstance(challenge, dict) else None
        return SecondFactorRequired(message, code=code, request_id=request_id, challenge=asked)
    kind = ReauthenticationRequired if code == "reauthentication_required" else Forbidden
    return kind(message, code=code, request_id=request_id)


def _fields(raw: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(raw, dict):
        return {}
    return {
        str(name): tuple(str(sentence) for sentence in sentences) if isinstance(sentences, list) else (str(sentences),)
        for name, sentences in raw.items()
    }


def _retry_after(response: httpx.Response) -> int:
    raw = response.headers.get("Retry-After", "")
    return int(raw) if raw.isdigit() else _DEFAULT_RETRY_AFTER


def _filename(disposition: str) -> str:
    found = re.search(r'filename="([^"\\/\x00-\x1f]{1,200})"', disposition)
    return found.group(1) if found else "download"
