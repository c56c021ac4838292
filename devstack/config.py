"""What the person decides: the data folder, the ports, servers of their own. Read from the environment and `.env`."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir

from devstack import dotenv
from devstack.net import LOOPBACK

ROOT = Path(__file__).resolve().parents[1]
# Longer paths do not fit into the address of a Unix socket (108 bytes on Linux, 104 on macOS, and its temporary name).
MAX_SOCKET_PATH = 90


SETTLED = ("database_url", "frontend_database_url", "redis_url", "reloads")


class ConfigError(ValueError):
    """A value in the environment that cannot be used; the message names the variable."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """One port for each listener; the variable that moves it is the upper-case name + `_PORT`."""

    backend: int = 8000
    frontend: int = 3000
    postgres: int = 54329
    valkey: int = 63799
    llm_standin: int = 8101
    stripe_standin: int = 8102
    mail_standin_smtp: int = 8125
    mail_standin_web: int = 8126

    @staticmethod
    def variable(name: str) -> str:
        """Return the environment variable that moves the port called `name`."""
        return f"{name.upper()}_PORT"

    def as_dict(self) -> dict[str, int]:
        """Return the ports by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, kw_only=True)
class Config:
    """One installation of the product on this machine."""

    root: Path
    data_dir: Path
    ports: Ports
    environ: Mapping[str, str]
    database_url: str = ""
    frontend_database_url: str = ""
    redis_url: str = ""
    reloads: bool = False

    @property
    def logs_dir(self) -> Path:
        """Where each program's log lies, as `<program>.log`."""
        return self.data_dir / "logs"

    @property
    def run_dir(self) -> Path:
        """Where pid files, the supervisor's configuration and the programs' descriptions lie."""
        return self.data_dir / "run"

    @property
    def admin_password_file(self) -> Path:
        """Where the bootstrap command puts the generated password of the admin."""
        return self.data_dir / "admin-password"

    @property
    def control_socket(self) -> Path:
        """The supervisor's own socket; in the temporary folder when the data folder's path is too long for one."""
        inside = self.run_dir / "supervisor.sock"
        if len(os.fsencode(inside)) <= MAX_SOCKET_PATH:
            return inside
        digest = sha256(os.fsencode(self.data_dir)).hexdigest()[:16]
        return Path(gettempdir()) / f"afterresume-{os.getuid()}-{digest}" / "supervisor.sock"

    def url(self, port_name: str) -> str:
        """Return the HTTP address of the listener called `port_name`."""
        return f"http://{LOOPBACK}:{self.ports.as_dict()[port_name]}"

    def make_folders(self) -> None:
        """Make the data folder and what the programs expect in it, closed to other accounts."""
        for folder in (self.data_dir, self.logs_dir, self.run_dir, self.control_socket.parent):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.data_dir.chmod(0o700)
        self.control_socket.parent.chmod(0o700)


def load(*, environ: Mapping[str, str], root: Path = ROOT, reads_dotenv: bool = True) -> Config:
    """Read the configuration; the process environment wins over `.env`. Raises ConfigError and DotenvError."""
    merged = {**(dotenv.read(root / ".env") if reads_dotenv else {}), **environ}
    data_dir = Path(merged.get("DATA_DIR", "") or ".data").expanduser()
    return Config(
        root=root,
        data_dir=(root / data_dir).resolve(),
        ports=_read_ports(merged),
        environ=merged,
        database_url=_read_url(merged, "DATABASE_URL", ("postgres://", "postgresql://")),
        frontend_database_url=_read_url(merged, "FRONTEND_DATABASE_URL", ("postgres://", "postgresql://")),
        redis_url=_read_url(merged, "REDIS_URL", ("redis://", "rediss://", "unix://")),
    )


def remember(config: Config) -> None:
    """Write down what a start has settled, for `restored`."""
    settled = {name: getattr(config, name) for name in SETTLED}
    content = json.dumps({"ports": asdict(config.ports), **settled}, indent=1)
    dotenv.replace_private(config.run_dir / "installation.json", content)


def restored(config: Config) -> Config:
    """Return the configuration with the ports and servers that the running stack was started with."""
    path = config.run_dir / "installation.json"
    if not path.exists():
        return config
    known = json.loads(path.read_text())
    return replace(config, ports=Ports(**known["ports"]), **{name: known[name] for name in SETTLED})


def _read_ports(environ: Mapping[str, str]) -> Ports:
    values: dict[str, int] = {}
    for name in Ports().as_dict():
        variable = Ports.variable(name)
        text = environ.get(variable, "").strip()
        if not text:
            continue
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
            raise ConfigError(f"{variable} is {text!r}: a port is a number from 1 to 65535.")
        values[name] = int(text)
    ports = Ports(**values)
    taken: dict[int, str] = {}
    for name, port in ports.as_dict().items():
        if port in taken:
            raise ConfigError(f"{Ports.variable(taken[port])} and {Ports.variable(name)} are both {port}.")
        taken[port] = name
    return ports


def _read_url(environ: Mapping[str, str], variable: str, schemes: tuple[str, ...]) -> str:
    value = environ.get(variable, "").strip()
    if value and not value.startswith(schemes):
        raise ConfigError(f"{variable} must start with {' or '.join(schemes)}.")
    return value
