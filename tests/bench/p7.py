"""P7: how many signed webhook messages the real backend accepts, and how soon it answers at a steady pace."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from devstack.net import LOOPBACK, free_port, is_listening
from tests.bench.clients import ROOT, Counted, python_module, run_clients
from tests.bench.figures import Figure, middle
from tests.bench.product import BACKEND, WEBHOOK_SECRET, Product

ROUNDS = 2
SECONDS = 5
STEADY_SECONDS = 10
STEADY_RATE = 100
CONNECTIONS = 16
WORKERS = 2
PATH = "/api/billing/webhook/"
START_S = 30.0


def run(product: Product, *, say: Callable[[str], None]) -> list[Figure]:
    """Loads the bare view and the webhook in turns, then sends at a steady pace."""
    bare, accepted, steady = [], [], []
    with serve_bare() as bare_port, serve_backend(product) as port:
        _load(bare_port, path="/", seconds=1)
        _load(port, path=PATH, seconds=1)
        for number in range(ROUNDS):
            bare.append(_load(bare_port, path="/", seconds=SECONDS))
            accepted.append(_load(port, path=PATH, seconds=SECONDS))
            say(f"P7, round {number + 1}: bare {bare[-1].rate:,.0f}/s, webhook {accepted[-1].rate:,.0f}/s")
        steady.append(_load(port, path=PATH, seconds=STEADY_SECONDS, rate=STEADY_RATE))
        say(f"P7: p99 {steady[0].latency_ms(0.99):.1f} ms at {STEADY_RATE}/s")
    kept = count_events(product)
    if kept < sum(load.done for load in [*accepted, *steady]):
        raise RuntimeError(f"Fewer messages were kept ({kept}) than accepted.")
    return compare(bare, accepted, steady[0])


def compare(bare: list[Counted], accepted: list[Counted], steady: Counted) -> list[Figure]:
    """The figures of P7."""
    rates = tuple(load.rate for load in accepted)
    throughput = Figure(
        id="P7",
        what=f"signed events accepted, {WORKERS} workers, {CONNECTIONS} connections",
        value=middle(rates),
        unit="events/s",
        reference_name="bare view",
        reference=middle([load.rate for load in bare]),
        aim=0.2,
        rounds=rates,
        note=f"p99 {middle([load.latency_ms(0.99) for load in accepted]):.1f} ms",
    )
    pace = Figure(
        id="P7",
        what=f"p99 of an event at {STEADY_RATE}/s, open loop",
        value=steady.latency_ms(0.99),
        unit="ms",
        aim=50,
        is_ceiling=True,
        note=f"p50 {steady.latency_ms(0.5):.1f} ms",
    )
    return [throughput, pace]


@contextmanager
def serve_backend(product: Product) -> Iterator[int]:
    """The backend as the stack starts it."""
    with _serve("config.wsgi:application", cwd=BACKEND, env={**product.env, "DATABASE_POOL_SIZE": "8"}) as port:
        yield port


@contextmanager
def serve_bare() -> Iterator[int]:
    """The reference on the same server, with as many workers."""
    with _serve("tests.bench.bare.wsgi:application", cwd=ROOT, env=os.environ) as port:
        yield port


@contextmanager
def _serve(application: str, *, cwd: Path, env: Mapping[str, str]) -> Iterator[int]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", LOOPBACK, "--port", str(port)),
        *("--workers", str(WORKERS), "--blocking-threads", "8", application),
    ]
    # The backend writes a line a request, as it does in production.
    process = subprocess.Popen(command, cwd=cwd, env=dict(env), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while not is_listening(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"No server came up: {process.args!r}")
        time.sleep(0.1)


def _load(port: int, *, path: str, seconds: float, rate: float = 0) -> Counted:
    arguments = ("--port", port, "--path", path, "--connections", CONNECTIONS, "--seconds", seconds, "--rate", rate)
    env = {**os.environ, "BENCH_WEBHOOK_SECRET": WEBHOOK_SECRET}
    counted = run_clients([python_module("tests.bench.load", *arguments)], env=env, cwd=ROOT, seconds=seconds)
    if counted.refused:
        raise RuntimeError(f"{counted.refused} of {counted.done + counted.refused} requests were refused.")
    return counted


def count_events(product: Product) -> int:
    """How many messages the inbox has."""
    with psycopg.connect(product.owner_url) as connection:
        row = connection.execute("SELECT count(*) FROM billing_stripeevent").fetchone()
    return int(row[0]) if row else 0
