"""Bringing the whole stack up and down, whatever state an earlier life left it in."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from devstack import credentials, health, launch, ports, postgres, programs, second_factor
from devstack.config import Config, remember, restored
from devstack.environment import (
    addresses_of,
    backend_environment,
    cluster_of,
    frontend_environment,
    owner_environment,
)
from devstack.logs import tail
from devstack.supervision import NAME as SUPERVISOR
from devstack.supervision import Control, SupervisorError, write_configuration

HEALTH_TIMEOUT_S = 60.0
# A program that keeps ending at start will not be healthy by waiting for it.
MAX_STARTS = 3
DJANGO_COMMANDS = Path(__file__).with_name("django_commands.py")
ADMIN_USERNAME = "admin"
# Dollars on the passkey that `up` prints: enough to try everything.
PROMO_CREDIT = "5.00"
BACKEND_PROGRAMS = frozenset({"backend", "worker", "beat"})
# Commands of the backend that change tables, and so run as their owner.
OWNER_COMMANDS = frozenset({"migrate"})

Report = Callable[[str], None]


class StackError(RuntimeError):
    """The stack could not be brought where it was asked to be; the message is for the person at the terminal."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """What `bring_up` did: whether anything had to be started, and the passkey that was asked for (or nothing)."""

    was_started: bool
    passkey: str


def _say_nothing(_line: str) -> None:
    return


@dataclass(kw_only=True)
class Installation:
    """One installation of the product: its configuration, its secrets, its programs and its supervisor."""

    config: Config
    report: Report = _say_nothing
    dies_with_parent: bool = False
    wanted: Sequence[str] = programs.ALL
    secrets: dict[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the data folder and the secrets; of what already runs, the addresses are those that it started with."""
        self.config.make_folders()
        self.secrets = credentials.load_or_generate(self.config)
        self.control = Control(self.config)
        if self.control.answers():
            self.config = restored(self.config)

    @property
    def programs(self) -> dict[str, programs.Program]:
        """The programs of this installation by name."""
        found = programs.build(self.config, self.secrets)
        return {name: program for name, program in found.items() if name in self.wanted}

    def bring_up(self, *, passkey_note: str = "") -> Start:
        """Start whatever does not run and wait until all is well; with a note, make an invite passkey on the way.

        Raises StackError, PortBusyError, PostgresError and SupervisorError.
        """
        with self._lock():
            if self.control.answers():
                was_started = self._complete()
                passkey = self.create_passkey(note=passkey_note) if passkey_note else ""
                return Start(was_started=was_started, passkey=passkey)
            self._start_supervisor()
            return Start(was_started=True, passkey=self._start_services(passkey_note=passkey_note))

    def bring_down(self) -> bool:
        """Stop everything in order; return whether anything was running."""
        with self._lock():
            if not self.control.answers():
                return self.sweep()
            running = self.control.states()
            for wave in programs.STOP_WAVES:
                names = [name for name in wave if name in running]
                if names:
                    self.report(f"stopping {', '.join(names)}")
                    self.control.stop_programs(*names)
            self.control.shut_down()
            self.sweep()
            return True

    def sweep(self) -> bool:
        """End what a killed supervisor left running; return whether there was anything."""
        mark = {launch.STACK_MARK: str(self.config.data_dir)}
        # The supervisor first, or it would start again what is ended here. PostgreSQL goes by its own fast shutdown.
        found = launch.sweep({**mark, launch.PROGRAM_MARK: SUPERVISOR})
        found += launch.sweep({**mark, launch.PROGRAM_MARK: "postgres"}, stop_signal=int(postgres.FAST_SHUTDOWN))
        found += launch.sweep(mark)
        self.control.reap()
        self.config.control_socket.unlink(missing_ok=True)
        return bool(found)

    def wait_healthy(self, names: Iterable[str], *, timeout_s: float = HEALTH_TIMEOUT_S) -> None:
        """Wait until these programs are well; raises StackError that names the one that is not, with its log's end."""
        waiting = list(names)
        with ThreadPoolExecutor(max_workers=max(1, len(waiting))) as pool:
            for outcome in [pool.submit(self._wait_one, name, timeout_s) for name in waiting]:
                outcome.result()

    def is_healthy(self, name: str) -> bool:
        """Say whether a program runs and answers its question."""
        try:
            state = self.control.states().get(name)
        except SupervisorError:
            return False
        probe = health.probes(self.config, self.secrets).get(name)
        # While the launcher sweeps, what answers would be the leftover that it is about to end.
        if state is None or not state.pid or is_launching(state.pid):
            return False
        # The supervisor calls a program RUNNING after a second; one that answers is well before that.
        return state.state == "RUNNING" if probe is None else probe()

    def stop_program(self, name: str) -> None:
        """Stop one program and whatever a former life of it has left."""
        self.control.stop_programs(name)
        launch.sweep({launch.STACK_MARK: str(self.config.data_dir), launch.PROGRAM_MARK: name})

    def manage(self, service: str, *commands: Sequence[str]) -> str:
        """Run management commands of `backend` or `frontend` in one process; return what the last one printed.

        Raises StackError with the end of the output of a failed one.
        """
        log_path = self.config.logs_dir / f"{service}-commands.log"
        with log_path.open("ab") as log:
            done = subprocess.run(
                [sys.executable, str(DJANGO_COMMANDS), json.dumps(commands)],
                cwd=self.config.root / service,
                env=self._command_environment(service, [command[0] for command in commands]),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                check=False,
            )
        if done.returncode != 0:
            what = ", ".join(command[0] for command in commands)
            raise StackError(f"{service}: {what} failed. The end of {log_path}:\n{tail(log_path, lines=30)}")
        return done.stdout.decode()

    def run_manage(self, service: str, arguments: Sequence[str]) -> int:
        """Run one management command at the terminal and return its exit code."""
        command = [sys.executable, "manage.py", *arguments]
        environ = self._command_environment(service, arguments[:1])
        return subprocess.run(command, cwd=self.config.root / service, env=environ, check=False).returncode

    def create_passkey(self, *, note: str, promo_credit: str = PROMO_CREDIT) -> str:
        """Make an invite passkey that brings `promo_credit` dollars, and return it in clear."""
        return self.manage("backend", create_passkey_command(note=note, promo_credit=promo_credit)).strip()

    def _command_environment(self, service: str, names: Sequence[str]) -> dict[str, str]:
        environment = backend_environment if service == "backend" else frontend_environment
        if service == "backend" and OWNER_COMMANDS.intersection(names):
            environment = owner_environment
        environ = environment(self.config, self.secrets)
        # A command is no part of the stack: it must not be swept away with it.
        return {name: value for name, value in environ.items() if name != launch.STACK_MARK}

    def _complete(self) -> bool:
        states = self.control.states()
        missing = [name for name in self.programs if states[name].state not in {"RUNNING", "STARTING"}]
        for name in missing:
            self.control.start_program(name)
        self.wait_healthy(self.programs)
        return bool(missing)

    def _start_supervisor(self) -> None:
        if self.sweep():
            self.report("ended what an earlier run had left behind")
        ports.check_free(self.config, self.programs.values())
        if "postgres" in self.programs:
            cluster = cluster_of(self.config, self.secrets)
            if not cluster.is_initialised():
                self.report("making the database cluster")
            cluster.initialise()
            clear_stale_pid_file(cluster.data_dir)
        remember(self.config)
        programs.write(self.config, self.programs)
        self.control.start(write_configuration(self.config, self.programs), dies_with_parent=self.dies_with_parent)

    def _start_services(self, *, passkey_note: str) -> str:
        self.wait_healthy(name for name in programs.SERVERS if name in self.programs)
        self._ensure_databases()
        with ThreadPoolExecutor(max_workers=2) as pool:
            frontend = pool.submit(self._start_frontend)
            backend = pool.submit(self._start_backend, passkey_note)
            passkey = backend.result()
            frontend.result()
        self.wait_healthy(name for name in self.programs if name not in programs.SERVERS)
        if "backend" in self.programs and second_factor.ensure(self.config, username=ADMIN_USERNAME):
            self.report("set up the admin's second factor")
        return passkey

    def _ensure_databases(self) -> None:
        addresses = addresses_of(self.config, self.secrets)
        if "postgres" in self.programs:
            cluster_of(self.config, self.secrets).ensure_databases(
                postgres.BACKEND_DATABASE, postgres.FRONTEND_DATABASE
            )
            if not self.config.frontend_database_url:
                return
        for variable, url in (
            ("DATABASE_URL", self.config.database_url),
            ("FRONTEND_DATABASE_URL", addresses.frontend_database_url),
        ):
            try:
                if url:
                    postgres.ensure_database(url)
            except psycopg.Error as error:
                raise StackError(f"{variable}: the database cannot be reached or made: {error}") from error

    def _start_backend(self, passkey_note: str) -> str:
        if not BACKEND_PROGRAMS.intersection(self.programs):
            return ""
        password_file = str(self.config.admin_password_file)
        bootstrap = ["bootstrap", "--admin-username", ADMIN_USERNAME, "--admin-password-file", password_file]
        commands = [["migrate", "--noinput"], bootstrap]
        if passkey_note:
            commands.append(create_passkey_command(note=passkey_note))
        printed = self.manage("backend", *commands)
        self._start("worker", "backend", "beat")
        return printed.strip() if passkey_note else ""

    def _start_frontend(self) -> None:
        if "frontend" in self.programs:
            self.manage("frontend", ["migrate", "--noinput"])
            self._start("frontend")

    def _start(self, *names: str) -> None:
        for name in names:
            if name in self.programs:
                self.control.start_program(name)

    def _wait_one(self, name: str, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        pids: set[int] = set()
        while not self.is_healthy(name):
            process = self.control.states()[name]
            pids.add(process.pid)
            if process.state == "FATAL" or len(pids - {0}) > MAX_STARTS or time.monotonic() > deadline:
                log_path = self.config.logs_dir / f"{name}.log"
                end = tail(log_path, lines=30)
                raise StackError(f"{name} is not healthy ({process.state}). The end of {log_path}:\n{end}")
            time.sleep(0.1)
        self.report(f"{name} is up")

    @contextmanager
    def _lock(self) -> Iterator[None]:
        with (self.config.data_dir / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def is_launching(pid: int) -> bool:
    """Say whether a process is still the launcher of its program (or is gone)."""
    try:
        return launch.__file__ in psutil.Process(pid).cmdline()
    except psutil.Error:
        return True


def create_passkey_command(*, note: str, promo_credit: str = PROMO_CREDIT) -> list[str]:
    """Return the backend's management command that makes an invite passkey and prints nothing but the key."""
    return ["create_passkey", "--note", note, "--promo-credit", promo_credit, "--raw"]


def clear_stale_pid_file(data_dir: Path) -> None:
    """Remove the pid file of a PostgreSQL that is gone, when its pid has meanwhile gone to another program.

    After a restart of a machine or a container low numbers come again, and PostgreSQL takes any living process for
    itself.
    """
    path = data_dir / "postmaster.pid"
    if not path.exists():
        return
    pid = int(path.read_text().split("\n", maxsplit=1)[0])
    try:
        is_ours = os.fsdecode(data_dir) in psutil.Process(pid).cmdline()
    except psutil.Error:
        is_ours = False
    if not is_ours:
        path.unlink()


def summary(installation: Installation, *, passkey: str) -> str:
    """Return what a person needs after `up`."""
    config = installation.config
    path = config.admin_password_file
    password = path.read_text().strip() if path.exists() else "(set earlier; not in this data folder)"
    rows: Mapping[str, str] = {
        "AfterResume": config.url("frontend"),
        "Sign-up": f"{config.url('frontend')}/profile/signup-with-passkey/",
        "API reference": f"{config.url('backend')}/api/docs/",
        "Django admin": f"{config.url('backend')}/admin/",
        "Mail": config.url("mail_standin_web"),
        "Stripe stand-in": f"{config.url('stripe_standin')}   (test card: 4242 4242 4242 4242)",
        "Model stand-in": f"{config.url('llm_standin')}/v1",
        "Admin": ADMIN_USERNAME,
        "Admin password": f"{password}   (also in {path})",
        "Second factor": f"{second_factor.read_uri(config) or '(set up by hand)'}   (code: ./taskw admin-code)",
        "Security keys": f"work at http://localhost:{config.ports.frontend} (browsers want a name for them)",
        "Invite passkey": passkey,
    }
    lines = [f"  {label:<16} {value}" for label, value in rows.items()]
    steps = "  Next: ./taskw status | ./taskw logs | ./taskw down"
    return "\n".join(["", *lines, "", steps, ""])
