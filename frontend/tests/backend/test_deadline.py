import ssl
import time

import httpcore
import pytest

from apps.backend.deadline import _BoundedStream, until


class Recorder(httpcore.NetworkStream):
    """A stream that notes how long it may take."""

    def __init__(self) -> None:
        self.timeouts: list[float | None] = []

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.timeouts.append(timeout)
        return b""

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self.timeouts.append(timeout)
        return self


def test_without_a_deadline_a_timeout_is_left_alone() -> None:
    recorder = Recorder()
    _BoundedStream(recorder).read(1, 5.0)
    assert recorder.timeouts == [5.0]


def test_a_deadline_shortens_what_would_last_longer() -> None:
    recorder = Recorder()
    with until(time.monotonic() + 60):
        for timeout in (500.0, 0.25, None):
            _BoundedStream(recorder).read(1, timeout)
    assert recorder.timeouts == [pytest.approx(60, abs=20), 0.25, pytest.approx(60, abs=20)]


def test_after_the_deadline_hardly_any_time_is_left() -> None:
    recorder = Recorder()
    with until(time.monotonic() - 10):
        _BoundedStream(recorder).read(1, 5.0)
    assert recorder.timeouts == [0.001]


def test_a_handshake_is_bounded_and_so_is_what_follows() -> None:
    recorder = Recorder()
    with until(time.monotonic() + 60):
        secured = _BoundedStream(recorder).start_tls(ssl.create_default_context(), "backend.test", 500.0)
    assert recorder.timeouts == [pytest.approx(60, abs=20)]
    assert isinstance(secured, _BoundedStream)
