"""The production shape without Docker: real servers, images laid out in folders, the commands that compose runs."""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import build_context
import dockerfiles
import httpx
import yaml

from devstack import postgres, valkey
from devstack.net import LOOPBACK, free_port, free_ports
from devstack.privileges import launcher

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
HOSTS = {"FRONTEND_HOST": "app.example.test", "BACKEND_HOST": "api.example.test"}
MAIL = {"DEFAULT_FROM_EMAIL": "AfterResume <no-reply@example.test>", "EMAIL_URL": "smtp+tls://us:pw@mail.example.test"}
START_TIMEOUT_S = 90.0

# Compressing some thousand files takes most of a minute and proves nothing here.
UNCOMPRESSED = """
from config.settings.production import *
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
"""

# Loads the production settings once for each environment that it reads, in a fork, because starting Python and Django
# anew for each would take minutes. Answers with the last line of each failure, or null.
SETTINGS_PROBE = """
import importlib, json, os, sys, traceback
import django.conf, environ, structlog
def verdict(environment):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.environ.clear()
        os.environ.update(environment)
        try:
            importlib.import_module("config.settings.production")
        except BaseException:
            os.write(writer, traceback.format_exc().encode()[-4000:])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answers:
        answer = answers.read()
    os.waitpid(child, 0)
    return answer
print(json.dumps([verdict(environment) for environment in json.load(sys.stdin)]))
"""


def fill_in_example() -> dict[str, str]:
    """What a person would write into .env: hosts, a mail server, and a generated value for each line that has none."""
    names = re.findall(r"^([A-Z][A-Z0-9_]*)=$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)
    return {**{name: HOSTS.get(name) or secrets.token_urlsafe(48) for name in names}, **MAIL}


def interpolate(value: str, dotenv: Mapping[str, str]) -> str:
    """Compose's own rules for `${NAME:?...}`, `${NAME:-default}` and `$$`."""

    def resolve(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        found = dotenv.get(name, "")
        if kind == ":?" and not found:
            raise KeyError(name)
        return found or rest

    return re.sub(r"(?<!\$)\$\{([A-Z0-9_]+)(:[?-])([^}]*)\}", resolve, value).replace("$$", "$")


@dataclass(frozen=True, kw_only=True)
class Servers:
    """PostgreSQL with the roles and databases that the container's first start makes, and Valkey."""

    cluster: postgres.Cluster
    store: valkey.Store
    dotenv: Mapping[str, str]

    def relocated(self, url: str) -> str:
        """The same address with the host of a container replaced by the server that plays it."""
        parts = urlsplit(url)
        port = {"postgres": self.cluster.port, "valkey": self.store.port}.get(parts.hostname or "")
        if port is None:
            return url
        credentials = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{credentials}@{LOOPBACK}:{port}"))

    def psql(self, url: str, statement: str) -> subprocess.CompletedProcess[str]:
        """One statement over psql, as whoever the address says."""
        command = [str(postgres.binaries() / "psql"), "-v", "ON_ERROR_STOP=1", "-Atc", statement, url]
        return subprocess.run(command, text=True, capture_output=True, check=False)

    def postgres_tool(self, name: str, *arguments: str) -> None:
        """Run pg_dump and its like as the superuser, as the runbook does inside the container."""
        connection = ["-h", LOOPBACK, "-p", str(self.cluster.port), "-U", postgres.SUPERUSER]
        environment = {"PATH": os.environ["PATH"], "PGPASSWORD": self.cluster.password}
        subprocess.run([postgres.binaries() / name, *connection, *arguments], env=environment, check=True)


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Start both servers; the databases are made by the script that compose mounts."""
    dotenv = fill_in_example()
    database_port, store_port = free_ports(2)
    cluster = postgres.Cluster(
        data_dir=folder / "postgres", port=database_port, password=dotenv["POSTGRES_PASSWORD"], is_durable=False
    )
    store = valkey.Store(
        data_dir=folder / "valkey", port=store_port, password=dotenv["VALKEY_PASSWORD"], is_durable=False
    )
    cluster.initialise()
    with (folder / "postgres.log").open("ab") as log:
        command = launcher(cluster.command(), unprivileged=True, dies_with_parent=True)
        process = subprocess.Popen(command, cwd="/", stdout=log, stderr=log, start_new_session=True)
    running = postgres.RunningPostgres(cluster, process)
    try:
        cluster.wait_ready(process=process)
        make_databases(cluster, dotenv)
        cache = valkey.start(store=store, log_path=folder / "valkey.log")
        try:
            yield Servers(cluster=cluster, store=store, dotenv=dotenv)
        finally:
            cache.stop()
    finally:
        running.stop()


def make_databases(cluster: postgres.Cluster, dotenv: Mapping[str, str]) -> None:
    """Run the script of deploy/postgres as the container's entry point would."""
    environment = {
        "PATH": f"{postgres.binaries()}:{os.environ['PATH']}",
        "PGHOST": LOOPBACK,
        "PGPORT": str(cluster.port),
        "PGPASSWORD": cluster.password,
        "POSTGRES_USER": postgres.SUPERUSER,
        **{name: interpolate(value, dotenv) for name, value in COMPOSE["services"]["postgres"]["environment"].items()},
    }
    subprocess.run([ROOT / "deploy" / "postgres" / "10-databases.sh"], env=environment, check=True)


@dataclass(frozen=True, kw_only=True)
class Image:
    """What an image holds, laid out below `folder`, and how compose would run it."""

    service: str
    folder: Path
    servers: Servers

    @classmethod
    def build(cls, service: str, *, folder: Path, servers: Servers) -> "Image":
        """Lay the files out and run the build's own step for static files."""
        image = cls(service=service, folder=folder, servers=servers)
        build_context.lay_out(image.stage, root=ROOT, target=folder)
        steps = [item.rest for item in image.stage.instructions if item.name == "RUN" and "collect_static" in item.rest]
        (folder / "uncompressed.py").write_text(UNCOMPRESSED)
        settings = {"DJANGO_SETTINGS_MODULE": "uncompressed", "PYTHONPATH": str(folder)}
        done = image.run(["sh", "-c", steps[0].split("&&")[0]], environment=settings)
        assert done.returncode == 0, done.stderr
        return image

    @cached_property
    def stage(self) -> dockerfiles.Stage:
        """The last stage of the image's Dockerfile."""
        return dockerfiles.parse((ROOT / self.service / "Dockerfile").read_text())[-1]

    @property
    def workdir(self) -> Path:
        """The image's working directory."""
        folder = self.stage.last("WORKDIR")
        assert folder is not None
        return self.folder / folder.rest.strip("/")

    def environment(self, name: str, **changes: str) -> dict[str, str]:
        """What compose gives to the service `name`, with the containers' addresses replaced by ours."""
        described: dict[str, str | None] = COMPOSE["services"][name]["environment"]
        given = {
            key: self.servers.relocated(interpolate(value, self.servers.dotenv))
            for key, value in described.items()
            if value is not None
        }
        return given | changes

    def files_only(self, name: str, **changes: str) -> dict[str, str]:
        """The same without the S3 store, which nothing here plays: files lie in a folder."""
        return self.environment(name, S3_BUCKET="", MEDIA_DIR=str(self.folder / "media"), **changes)

    def command(self, words: list[str]) -> list[str]:
        """The words as they are outside the container: its /app is our folder."""
        return [re.sub(r"(?<![\w/])/app/", f"{self.folder}/app/", word) for word in words]

    def refusals(self, environments: list[dict[str, str]]) -> list[str]:
        """How the production settings fail in each environment: the traceback's end, empty when they load."""
        done = self.run(["python", "-c", SETTINGS_PROBE], environment={}, stdin=json.dumps(environments))
        answers: list[str] = json.loads(done.stdout)
        return answers

    def run(
        self, words: list[str], *, environment: Mapping[str, str], stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the image to its end."""
        return subprocess.run(
            self.command(words),
            input=stdin,
            cwd=self.workdir,
            env=self._complete(environment),
            text=True,
            capture_output=True,
            check=False,
            timeout=300,
        )

    @contextmanager
    def running(
        self, words: list[str], *, environment: Mapping[str, str], log: Path
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command of the image until the block ends, then ask it to stop as Docker would."""
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(words),
                cwd=self.workdir,
                env=self._complete(environment),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _complete(self, environment: Mapping[str, str]) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        return {**self.stage.environment(), "PATH": path, **environment}


@dataclass(frozen=True, kw_only=True)
class Site:
    """A web service that answers on a port of ours."""

    image: Image
    port: int
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A request as the proxy sends it; `Host=...` and `X_Forwarded_Proto=...` may be given."""
        return httpx.get(self._url(path), headers=self._headers(headers), timeout=10, trust_env=False)

    def post(self, path: str, content: dict[str, str]) -> httpx.Response:
        """JSON to the API."""
        return httpx.post(self._url(path), json=content, headers=self._headers({}), timeout=10, trust_env=False)

    def _url(self, path: str) -> str:
        return f"http://{LOOPBACK}:{self.port}{path}"

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        host = self.environment["ALLOWED_HOSTS"].split(",")[0]
        return {"Host": host} | {name.replace("_", "-"): value for name, value in headers.items()}

    def health(self) -> int:
        """The exit code of the image's own health check."""
        check = self.image.stage.last("HEALTHCHECK")
        assert check is not None
        words = dockerfiles.Instruction(line=0, name="CMD", rest=check.rest.partition(" CMD ")[2]).arguments
        return self.image.run(words, environment=self.environment).returncode


@contextmanager
def site(image: Image, *, log: Path, **changes: str) -> Iterator[Site]:
    """Run the image's CMD on a free port and wait until its health check says yes."""
    port = free_port()
    environment = image.files_only(image.service, GRANIAN_PORT=str(port), GRANIAN_HOST=LOOPBACK, **changes)
    command = image.stage.last("CMD")
    assert command is not None
    with image.running(command.arguments, environment=environment, log=log) as process:
        started = Site(image=image, port=port, environment=environment, process=process)
        deadline = time.monotonic() + START_TIMEOUT_S
        while started.health() != 0:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        yield started
