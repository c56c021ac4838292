"""`python -m devstack.with_servers [--durable] [--] COMMAND...`: a command with PostgreSQL and Valkey of its own.

The servers live in a temporary folder on ephemeral ports and are gone when the command ends. DATABASE_URL and
REDIS_URL, where they are already set, are used instead. The address is the owner's, who may make databases; the name of
the role that services run as is in DATABASE_RUNTIME_ROLE.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from devstack import postgres, valkey
from devstack.net import free_ports, frontend_database_url

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Interrupted(Exception):
    """A signal asked us to end before the command was running."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number


@contextmanager
def servers(*, environ: Mapping[str, str], is_durable: bool = False) -> Iterator[dict[str, str]]:
    """Yield the addresses of running servers as environment variables; start only what `environ` does not name."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="afterresume-servers-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        database_port, store_port = free_ports(2)
        ours: dict[str, str] = {}
        database_url = environ.get("DATABASE_URL", "")
        if not database_url:
            cluster = postgres.temporary_cluster(folder=folder, port=database_port, is_durable=is_durable)
            stack.callback(postgres.start(cluster=cluster, log_path=folder / "postgres.log").stop)
            database_url = cluster.url(postgres.BACKEND_DATABASE)
            ours["DATABASE_RUNTIME_ROLE"] = postgres.RUNTIME_ROLE
        redis_url = environ.get("REDIS_URL", "")
        if not redis_url:
            store = valkey.Store(data_dir=folder / "valkey", port=store_port, is_durable=is_durable)
            stack.callback(valkey.start(store=store, log_path=folder / "valkey.log").stop)
            redis_url = store.url
        frontend_url = environ.get("FRONTEND_DATABASE_URL", "") or frontend_database_url(database_url)
        if environ.get("DATABASE_URL"):
            postgres.ensure_database(frontend_url)
        yield {**ours, "DATABASE_URL": database_url, "FRONTEND_DATABASE_URL": frontend_url, "REDIS_URL": redis_url}


def run(command: Sequence[str], *, is_durable: bool) -> int:
    """Run `command` beside its servers and return its exit code (128 + n when signal n ended it)."""
    child: subprocess.Popen[bytes] | None = None
    pending: list[int] = []

    def forward(signal_number: int, _frame: FrameType | None) -> None:
        pending.append(signal_number)
        if child is None:
            raise Interrupted(signal_number)
        # A terminal sends Ctrl-C to the whole foreground group: the command already has it.
        if signal_number != signal.SIGINT or not sys.stdin.isatty():
            child.send_signal(signal_number)

    previous = {number: signal.signal(number, forward) for number in FORWARDED}
    try:
        with servers(environ=os.environ, is_durable=is_durable) as addresses:
            child = subprocess.Popen(command, env={**os.environ, **addresses})
            code = child.wait()
        return code if code >= 0 else 128 - code
    except Interrupted as interrupted:
        return 128 + interrupted.signal_number
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line and run it."""
    parser = argparse.ArgumentParser(prog="devstack.with_servers", description=__doc__)
    parser.add_argument("--durable", action="store_true", help="keep fsync on")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    command: list[str] = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        parser.error("no command given")
    if shutil.which(command[0]) is None:
        parser.error(f"command not found: {command[0]}")
    return run(command, is_durable=options.durable)


if __name__ == "__main__":
    sys.exit(main())
