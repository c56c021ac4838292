"""Endpoints for the tests: the model stand-in, scripts of answers over HTTP, and a bare socket for the rest."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import stamina

from apps.llm.providers.base import ModelRequest
from apps.llm.providers.openai_compatible import OpenAICompatibleProvider
from apps.llm.types import Completion, ModelRefused, ModelUnavailable
from devstack.standins.web import Request, Response, json_response, serving

Failure = ModelUnavailable | ModelRefused


def ask(address: str, request: ModelRequest, *, api_key: str = "key") -> Completion:
    return OpenAICompatibleProvider(base_url=f"{address}/v1", api_key=api_key).complete(request)


def ask_in_vain(address: str, request: ModelRequest) -> Failure:
    """The failure of a call that must fail; pauses between tries are left out."""
    with quick_retries():
        try:
            ask(address, request)
        except (ModelUnavailable, ModelRefused) as failure:
            return failure
    pytest.fail("the call was answered")


@contextmanager
def quick_retries() -> Iterator[None]:
    """No pauses between tries, but as many tries as ever."""
    stamina.set_testing(True, attempts=3, cap=True)
    try:
        yield
    finally:
        stamina.set_testing(False)


class Script:
    """Gives its answers one after the other, the last one for ever, and remembers what it was asked."""

    def __init__(self, answers: Sequence[Response | None]) -> None:
        self._answers = list(answers)
        self.requests: list[Request] = []

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [request.json_object() for request in self.requests]

    def __call__(self, request: Request) -> Response | None:
        self.requests.append(request)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@contextmanager
def scripted(*answers: Response | None) -> Iterator[tuple[str, Script]]:
    script = Script(answers)
    with serving(script) as address:
        yield address, script


@contextmanager
def bare(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that reads one request and then does with the connection what the test says."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve() -> None:
        listener.settimeout(0.05)
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(2)
                connection.recv(65_536)
                try:
                    talk(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join()
        listener.close()


def drip(head: bytes, *, every: float = 0.05) -> Callable[[socket.socket], None]:
    """Sends `head` at once, then a byte at a time without end."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(400):
            connection.sendall(b"x")
            time.sleep(every)

    return talk


def whole(content: str | None = '{"sections": []}', *, finish_reason: str | None = "stop", **extra: Any) -> Response:
    """A complete answer in one piece."""
    message = {"role": "assistant", "content": content, **extra.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    usage = extra.pop("usage", {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49})
    return json_response({"id": "chatcmpl-1", "choices": [choice], "usage": usage, **extra})


def chunk(content: str = "", *, finish_reason: str | None = None, **extra: Any) -> bytes:
    """One event of a streamed answer."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"id": "chatcmpl-1", "choices": [choice], **extra}).encode() + b"\n\n"


def streamed(*events: bytes, headers: dict[str, str] | None = None) -> Response:
    return Response(content_type="text/event-stream", chunks=events, headers=headers or {})


def error(status: int, message: str = "No.", *, code: str | None = None, **headers: str) -> Response:
    value = {"error": {"message": message, "type": "server_error", "param": None, "code": code}}
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return json_response(value, status=status, headers=named)
