"""supervisord of this installation: its configuration, its start, and talking to it over its own socket."""

import http.client
import os
import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from supervisor.xmlrpc import SupervisorTransport

from devstack import launch
from devstack.config import Config
from devstack.environment import plain_environment
from devstack.privileges import launcher
from devstack.programs import SERVICES, Program

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 60.0
NAME = "supervisord"
ALREADY_STARTED = 60
NOT_RUNNING = 70

HEAD = """\
[unix_http_server]
file={socket}
chmod=0700
[supervisord]
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={run}/supervisord.pid
childlogdir={logs}
identifier=afterresume
minfds=256
silent=true
strip_ansi=true
{user}
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
# Only the whole group is killed, never asked to stop: a worker's children would drop the step that they are in.
PROGRAM = """\
[program:{name}]
command={command}
priority={priority}
autostart={autostart}
autorestart=true
startsecs=1
startretries=20
stopsignal={stop_signal}
stopwaitsecs={stop_wait_s}
stopasgroup=false
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""


class SupervisorError(RuntimeError):
    """supervisord did not start or refused a request."""


@dataclass(frozen=True, kw_only=True)
class ProcessState:
    """What the supervisor knows of a program: its state (RUNNING, BACKOFF, FATAL, ...), pid (0 without) and uptime."""

    name: str
    state: str
    pid: int
    uptime_s: int
    description: str


def write_configuration(config: Config, programs: Mapping[str, Program]) -> Path:
    """Write supervisord's configuration and return its path; the services start on demand, the rest with it."""
    places = {"logs": _escaped(config.logs_dir), "run": _escaped(config.run_dir)}
    head = HEAD.format(socket=_escaped(config.control_socket), user="user=root" if os.geteuid() == 0 else "", **places)
    parts = [head]
    for position, program in enumerate(programs.values()):
        command = [sys.executable, "-I", launch.__file__, str(config.run_dir), program.name]
        parts.append(
            PROGRAM.format(
                name=program.name,
                command=_escaped(shlex.join(command)),
                priority=(position + 1) * 10,
                autostart=str(program.name not in SERVICES).lower(),
                stop_signal=program.stop_signal,
                stop_wait_s=program.stop_wait_s,
                **places,
            )
        )
    path = config.run_dir / "supervisord.conf"
    path.write_text("\n".join(parts))
    return path


class Control:
    """The supervisor of one installation."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._child: subprocess.Popen[bytes] | None = None

    def start(self, configuration: Path, *, dies_with_parent: bool = False) -> None:
        """Start supervisord and wait until it answers; it is a daemon, unless it is to end with this process."""
        self.reap()
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)]
        if dies_with_parent:
            command = launcher([*command, "--nodaemon"], dies_with_parent=True)
        environ = {**plain_environment(self.config), launch.PROGRAM_MARK: NAME}
        log_path = self.config.logs_dir / "supervisord-start.log"
        with log_path.open("wb") as log:
            self._child = process = subprocess.Popen(
                command,
                cwd="/",
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.answers():
            if process.poll() or time.monotonic() > deadline:
                raise SupervisorError(f"supervisord did not start:\n{log_path.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def answers(self) -> bool:
        """Say whether our supervisord is there."""
        try:
            return bool(self._call("getState"))
        except SupervisorError:
            return False

    def states(self) -> dict[str, ProcessState]:
        """Return all programs' states by name."""
        found = cast(list[dict[str, object]], self._call("getAllProcessInfo"))
        return {str(info["name"]): _process_state(info) for info in found}

    def start_program(self, name: str) -> None:
        """Ask for a program's start without waiting; a running one is left alone."""
        self._call("startProcess", name, False, ignored=ALREADY_STARTED)

    def stop_programs(self, *names: str, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """Stop programs side by side and wait until they are gone; raises SupervisorError when one is not."""
        for name in names:
            self._call("stopProcess", name, False, ignored=NOT_RUNNING)
        deadline = time.monotonic() + timeout_s
        while left := [name for name in names if self.states()[name].pid]:
            if time.monotonic() > deadline:
                raise SupervisorError(f"{', '.join(left)} did not stop within {timeout_s:.0f} s.")
            time.sleep(0.05)

    def shut_down(self, *, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End supervisord and whatever it still runs, and wait for it."""
        self._call("shutdown")
        deadline = time.monotonic() + timeout_s
        while self.config.control_socket.exists() or self.answers():
            if time.monotonic() > deadline:
                raise SupervisorError(f"supervisord did not stop within {timeout_s:.0f} s.")
            time.sleep(0.05)
        self.reap()

    def reap(self) -> None:
        """Take note of the end of what `start` started: a daemon's first process, or a child that was stopped."""
        if self._child is not None:
            self._child.wait(timeout=STOP_TIMEOUT_S)
            self._child = None

    def _call(self, method: str, *arguments: object, ignored: int = 0) -> object:
        transport = SupervisorTransport(None, None, f"unix://{self.config.control_socket}")
        proxy = xmlrpc.client.ServerProxy("http://localhost", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == ignored:
                return None
            raise SupervisorError(f"{method}{arguments}: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            raise SupervisorError(f"supervisord does not answer: {error}") from error
        finally:
            transport.close()


def _process_state(info: Mapping[str, object]) -> ProcessState:
    now, started = int(str(info["now"])), int(str(info["start"]))
    state, pid = str(info["statename"]), int(str(info["pid"]))
    return ProcessState(
        name=str(info["name"]),
        state=state,
        pid=pid,
        uptime_s=now - started if pid else 0,
        description=str(info["description"]),
    )


def _escaped(value: Path | str) -> str:
    return str(value).replace("%", "%%")
