"""An HTTP load generator for loopback, a client of `tests.bench.clients`: signed webhook events over kept connections.

Closed loop: each connection sends its next request when it has the answer. Open loop: requests leave at a fixed rate,
whatever the server does, and a latency counts from the moment at which the request was due.
"""

import argparse
import hashlib
import hmac
import http.client
import itertools
import json
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

CREATED = 1_790_000_000
ANSWER_BYTES = 65_536


@dataclass(slots=True)
class Tally:
    """What the connections of this process have seen."""

    latencies_ms: list[float] = field(default_factory=list)
    refused: int = 0


def main() -> None:
    """Loads `--port` for `--seconds` and prints the counts; at `--rate` requests/s if that is not 0."""
    options = _parse()
    tally, threads = Tally(), []
    make = event_maker(port=options.port, path=options.path, secret=os.environ["BENCH_WEBHOOK_SECRET"])
    sockets = [socket.create_connection(("127.0.0.1", options.port), timeout=30) for _ in range(options.connections)]
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.perf_counter()
    due = schedule(began=began, seconds=options.seconds, rate=options.rate)
    for connection in sockets:
        threads.append(threading.Thread(target=work, args=(connection, make, due, tally)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    answer = {"seconds": time.perf_counter() - began, "refused": tally.refused, "latencies_ms": tally.latencies_ms}
    print(json.dumps({"done": len(tally.latencies_ms), **answer}))


def schedule(*, began: float, seconds: float, rate: float) -> Callable[[], float | None]:
    """What gives each request's due moment, or None when the time is over. Threads share it."""
    numbers, lock = itertools.count(), threading.Lock()

    def next_due() -> float | None:
        with lock:
            due = began + next(numbers) / rate if rate else time.perf_counter()
        return None if due - began >= seconds else due

    return next_due


def work(
    connection: socket.socket, make: Callable[[], bytes], next_due: Callable[[], float | None], tally: Tally
) -> None:
    """Sends one request after the other on its connection."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while (due := next_due()) is not None:
        time.sleep(max(0.0, due - time.perf_counter()))
        connection.sendall(make())
        if read_status(connection) == http.client.OK:
            tally.latencies_ms.append(round((time.perf_counter() - due) * 1000, 3))
        else:
            tally.refused += 1
    connection.close()


def read_status(connection: socket.socket) -> int:
    """Reads one answer with a Content-Length to its end and returns its status."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    while len(body) < length:
        body += _receive(connection)
    return int(lines[0].split()[1])


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(ANSWER_BYTES)
    if not data:
        raise ConnectionError("The server closed the connection.")
    return data


def event_maker(*, port: int, path: str, secret: str) -> Callable[[], bytes]:
    """Makes whole requests, each with an event of its own, signed as Stripe signs."""
    ids = _ids()

    def make() -> bytes:
        body = make_event(next(ids))
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Stripe-Signature: {sign(body, secret=secret, at=int(time.time()))}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    return make


def sign(body: bytes, *, secret: str, at: int) -> str:
    """The value of Stripe-Signature: HMAC-SHA256 over the time and the body."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def make_event(number: str) -> bytes:
    """An event in the shape and about the size of Stripe's payment_intent.succeeded."""
    intent = {
        "id": f"pi_{number}",
        "object": "payment_intent",
        "amount": 2500,
        "amount_received": 2500,
        "currency": "usd",
        "customer": f"cus_{number}",
        "description": "Top-up " * 20,
        "latest_charge": f"ch_{number}",
        "livemode": False,
        "metadata": {"attempt": str(uuid.UUID(int=0))},
        "payment_method": f"pm_{number}",
        "payment_method_options": {"card": {"installments": None, "network": None, "request_three_d_secure": "auto"}},
        "payment_method_types": ["card"],
        "status": "succeeded",
    }
    event = {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-01-28",
        "created": CREATED,
        "type": "payment_intent.succeeded",
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": intent},
    }
    return json.dumps(event).encode()


def _ids() -> Iterator[str]:
    stem = uuid.uuid4().hex[:16]
    return (f"{stem}{number:08d}" for number in itertools.count())


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=float, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
