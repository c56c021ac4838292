"""The stack as an object, for tests across the services: own data folder, own ports, programs to kill and restart."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack import programs, second_factor
from devstack.config import ROOT, Ports, load
from devstack.environment import backend_environment, inheritable, owner_environment
from devstack.lifecycle import ADMIN_USERNAME, Installation
from devstack.net import free_ports

# The surroundings of a test run point at its own servers: a stack brings its own.
NOT_FOR_STACKS = (
    "DATABASE_URL",
    "DATABASE_RUNTIME_ROLE",
    "FRONTEND_DATABASE_URL",
    "REDIS_URL",
    "DATA_DIR",
    "FAILPOINTS",
)
STOP_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Urls:
    """Where the parts of a stack answer."""

    backend: str
    frontend: str
    llm: str
    mail: str
    stripe: str


class Stack:
    """The whole product in a temporary folder. As a context manager it is started, and stopped and removed at the end.

    `env` goes to the services on top of the defaults (`LLM_BASE_URL`, `DJANGO_SETTINGS_MODULE`, `FAILPOINTS`, ...);
    `wanted` leaves programs out. The stack ends with the process that made it, however that ends.
    """

    def __init__(
        self,
        *,
        env: Mapping[str, str] | None = None,
        wanted: Sequence[str] = programs.ALL,
        data_dir: Path | None = None,
        root: Path = ROOT,
    ) -> None:
        self._is_temporary = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="afterresume-stack-"))
        names = list(Ports().as_dict())
        chosen = dict(zip((Ports.variable(name) for name in names), map(str, free_ports(len(names))), strict=True))
        shell = {name: value for name, value in inheritable(os.environ).items() if name not in NOT_FOR_STACKS}
        environ = {**shell, **chosen, "DATA_DIR": str(self.data_dir), **(env or {})}
        config = load(environ=environ, root=root, reads_dotenv=False)
        self._installation = Installation(config=config, dies_with_parent=True, wanted=wanted)

    def __enter__(self) -> Self:
        """Start."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and remove the temporary folder."""
        self.close()

    def start(self) -> None:
        """Start everything and wait until it is well; also after `stop`, with the same data and ports."""
        self._installation.bring_up()

    def stop(self) -> None:
        """Stop everything in order; the data stays."""
        self._installation.bring_down()

    def close(self) -> None:
        """Stop, and remove the data folder when it was made by this object."""
        self.stop()
        if self._is_temporary:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    @property
    def urls(self) -> Urls:
        """The addresses, without a slash at the end."""
        config = self._installation.config
        return Urls(
            backend=config.url("backend"),
            frontend=config.url("frontend"),
            llm=config.url("llm_standin"),
            mail=config.url("mail_standin_web"),
            stripe=config.url("stripe_standin"),
        )

    @property
    def env(self) -> dict[str, str]:
        """The environment of backend and worker, with the addresses of database and broker."""
        return backend_environment(self._installation.config, self._installation.secrets)

    @property
    def owner_database_url(self) -> str:
        """The backend's database as the owner of its tables."""
        return owner_environment(self._installation.config, self._installation.secrets)["DATABASE_URL"]

    @property
    def admin_username(self) -> str:
        """The admin's name."""
        return ADMIN_USERNAME

    @property
    def admin_password(self) -> str:
        """The admin's generated password."""
        return self._installation.config.admin_password_file.read_text().strip()

    @property
    def admin_code(self) -> str:
        """The code that the admin's authenticator app would show now."""
        return second_factor.current_code(self._installation.config)

    def create_passkey(self, *, note: str = "test", promo_credit: str = "5.00") -> str:
        """Make an invite passkey that brings `promo_credit` dollars, and return it in clear."""
        return self._installation.create_passkey(note=note, promo_credit=promo_credit)

    def manage(self, service: str, *arguments: str) -> str:
        """Run one management command of `backend` or `frontend` and return what it printed; raises StackError."""
        return self._installation.manage(service, list(arguments))

    def update_env(self, changes: Mapping[str, str]) -> None:
        """Change the services' environment; a program sees it from its next start on."""
        config = self._installation.config
        self._installation.config = replace(config, environ={**config.environ, **changes})
        programs.write(self._installation.config, self._installation.programs)

    def pid(self, program: str) -> int:
        """Return the pid of a program, 0 when it does not run."""
        return self._installation.control.states()[program].pid

    def kill(self, program: str, number: int = signal.SIGKILL, *, with_children: bool = False) -> int:
        """Send a signal to a program (or to its whole group); return the pid. The supervisor starts it again."""
        pid = self.pid(program)
        if with_children:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
        return pid

    def stop_program(self, program: str) -> None:
        """Stop one program and wait until it is gone; it stays down."""
        self._installation.stop_program(program)

    def start_program(self, program: str) -> None:
        """Start one program and wait until it is well."""
        self._installation.control.start_program(program)
        self.wait_healthy(program)

    def restart(self, program: str) -> None:
        """Stop and start one program and wait until it is well."""
        self.stop_program(program)
        self.start_program(program)

    def wait_healthy(self, *names: str) -> None:
        """Wait until these programs (all, without names) are well; raises StackError with the log's end."""
        self._installation.wait_healthy(names or self._installation.programs)

    def wait_restarted(self, program: str, *, old_pid: int, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Wait until a killed program has another pid and is well; return the pid."""
        deadline = time.monotonic() + timeout_s
        while self.pid(program) in {0, old_pid}:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{program} was not started again within {timeout_s:.0f} s.")
            time.sleep(0.05)
        self.wait_healthy(program)
        return self.pid(program)

    def is_healthy(self, program: str) -> bool:
        """Say whether a program runs and answers."""
        return self._installation.is_healthy(program)

    def log_path(self, program: str) -> Path:
        """Return where a program's log lies."""
        return self._installation.config.logs_dir / f"{program}.log"

    def logs(self, program: str) -> str:
        """Return a program's log."""
        path = self.log_path(program)
        return path.read_text(errors="replace") if path.exists() else ""
