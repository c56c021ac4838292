"""The programs of the stack: how each is started, stopped and asked whether it is well."""

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from devstack import dotenv
from devstack.config import Config
from devstack.environment import (
    backend_environment,
    cluster_of,
    frontend_environment,
    plain_environment,
    store_of,
    worker_name,
)
from devstack.launch import PROGRAM_MARK
from devstack.net import LOOPBACK
from devstack.postgres import STOP_TIMEOUT_S

SERVERS = ("postgres", "valkey")
STANDINS = ("standin-llm", "standin-mail", "standin-stripe")
SERVICES = ("backend", "worker", "beat", "frontend")
ALL = (*SERVERS, *STANDINS, *SERVICES)
# What has to be gone before the next wave is stopped: nobody loses the floor under their feet.
STOP_WAVES = (("frontend", "beat"), ("backend", "worker"), STANDINS, SERVERS)
# A worker finishes the step that it is in; after this it is killed and the sweeper takes over.
SERVICE_STOP_WAIT_S = 20
# What is watched for changes in development; tests and caches change all the time.
WATCHED = ("apps", "config", "templates")


@dataclass(frozen=True, kw_only=True)
class Program:
    """One supervised program."""

    name: str
    command: list[str]
    cwd: str
    env: dict[str, str] = field(repr=False)
    port_names: tuple[str, ...] = ()
    is_unprivileged: bool = False
    stop_signal: int = signal.SIGTERM
    stop_wait_s: int = SERVICE_STOP_WAIT_S


def build(config: Config, secrets: Mapping[str, str]) -> dict[str, Program]:
    """Return the programs of this installation by name, in the order in which they start."""
    programs = [*_servers(config, secrets), *_standins(config, secrets), *_services(config, secrets)]
    return {program.name: program for program in programs}


def write(config: Config, programs: Mapping[str, Program]) -> None:
    """Write the descriptions that `devstack.launch` reads; they carry secrets, so only the owner may read them."""
    content = {"programs": {name: asdict(program) for name, program in programs.items()}}
    dotenv.replace_private(config.run_dir / "programs.json", json.dumps(content, indent=1))


def _servers(config: Config, secrets: Mapping[str, str]) -> list[Program]:
    found = []
    if not config.database_url:
        found.append(
            _program(
                config,
                "postgres",
                cluster_of(config, secrets).command(),
                port_names=("postgres",),
                is_unprivileged=True,
                stop_signal=signal.SIGINT,
                stop_wait_s=int(STOP_TIMEOUT_S),
            )
        )
    if not config.redis_url:
        command = store_of(config, secrets).configure()
        found.append(_program(config, "valkey", command, port_names=("valkey",)))
    return found


def _standins(config: Config, secrets: Mapping[str, str]) -> list[Program]:
    ports, data = config.ports, config.data_dir / "standins"
    webhook = ["--webhook-url", f"{config.url('backend')}/api/billing/webhook/"]
    stripe_secrets = {name: value for name, value in secrets.items() if name.startswith("STRIPE_STANDIN_")}
    return [
        _standin(config, "llm", ["--port", str(ports.llm_standin)], ("llm_standin",)),
        _standin(
            config,
            "mail",
            [
                *("--port", str(ports.mail_standin_web), "--smtp-port", str(ports.mail_standin_smtp)),
                *("--folder", str(data / "mail")),
            ],
            ("mail_standin_web", "mail_standin_smtp"),
        ),
        _standin(
            config,
            "stripe",
            ["--port", str(ports.stripe_standin), "--database", str(data / "stripe.sqlite3"), *webhook],
            ("stripe_standin",),
            secrets=stripe_secrets,
        ),
    ]


def _standin(
    config: Config,
    kind: str,
    arguments: list[str],
    port_names: tuple[str, ...],
    *,
    secrets: Mapping[str, str] | None = None,
) -> Program:
    command = [sys.executable, "-m", f"devstack.standins.{kind}", *arguments]
    # Stand-ins come from this checkout, whatever product folder they serve.
    folder = str(Path(__file__).resolve().parents[1])
    env = {**plain_environment(config), **(secrets or {})}
    return _program(config, f"standin-{kind}", command, cwd=folder, env=env, port_names=port_names, stop_wait_s=5)


def _services(config: Config, secrets: Mapping[str, str]) -> list[Program]:
    backend, frontend = config.root / "backend", config.root / "frontend"
    backend_env, frontend_env = backend_environment(config, secrets), frontend_environment(config, secrets)
    # Celery's processes keep one connection each instead of a pool that would be closed after every task.
    celery_env = {**backend_env, "DATABASE_POOL_SIZE": "0"}
    concurrency = config.environ.get("WORKER_CONCURRENCY") or "2"
    # One worker has no neighbours to wait for or to talk to.
    lonely = ("--without-mingle", "--without-gossip")
    worker = _celery(config, "worker", "--concurrency", concurrency, "-n", worker_name(config), *lonely)
    return [
        _program(config, "backend", _granian(config, "backend"), cwd=backend, env=backend_env, port_names=("backend",)),
        _program(config, "worker", worker, cwd=backend, env=celery_env),
        _program(config, "beat", _celery(config, "beat"), cwd=backend, env=celery_env, stop_wait_s=5),
        _program(
            config, "frontend", _granian(config, "frontend"), cwd=frontend, env=frontend_env, port_names=("frontend",)
        ),
    ]


def _granian(config: Config, port_name: str) -> list[str]:
    port = str(config.ports.as_dict()[port_name])
    workers = config.environ.get(f"{port_name.upper()}_WORKERS") or "1"
    watched = [folder for folder in WATCHED if (config.root / port_name / folder).is_dir()]
    reload = ["--reload", *(part for folder in watched for part in ("--reload-paths", folder))]
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", LOOPBACK, "--port", port),
        *("--workers", workers, "--blocking-threads", "8", "--respawn-failed-workers"),
        *(*(reload if config.reloads else []), "config.wsgi:application"),
    ]


def _celery(config: Config, kind: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-m", "celery", "-A", "config", kind, "-l", "info", *arguments]
    if kind == "beat":
        command += ["--pidfile="]
    if not config.reloads:
        return command
    return [sys.executable, "-m", "watchfiles", "--filter", "python", " ".join(command), "apps", "config"]


def _program(
    config: Config,
    name: str,
    command: list[str],
    *,
    cwd: Path | str = "/",
    env: Mapping[str, str] | None = None,
    port_names: tuple[str, ...] = (),
    is_unprivileged: bool = False,
    stop_signal: int = signal.SIGTERM,
    stop_wait_s: int = SERVICE_STOP_WAIT_S,
) -> Program:
    return Program(
        name=name,
        command=command,
        cwd=str(cwd),
        env={**(plain_environment(config) if env is None else env), PROGRAM_MARK: name},
        port_names=port_names,
        is_unprivileged=is_unprivileged,
        stop_signal=stop_signal,
        stop_wait_s=stop_wait_s,
    )
