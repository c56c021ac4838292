"""What the supervisor runs for each program: sweep away what an earlier life left behind, then become the program.

Usage: `python -I launch.py RUN_FOLDER NAME`. The description of the program (command, folder, environment) is read
from RUN_FOLDER/programs.json, so that secrets appear in no command line and each service sees only its own. This
module imports only the standard library and `privileges`, to start in a few milliseconds.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from devstack.privileges import become, server_account

STACK_MARK = "AFTERRESUME_STACK"
PROGRAM_MARK = "AFTERRESUME_PROGRAM"
SWEEP_TIMEOUT_S = 5.0


def main() -> None:
    """Launch one program in place of this process."""
    run_folder, name = Path(sys.argv[1]), sys.argv[2]
    description = json.loads((run_folder / "programs.json").read_text())["programs"][name]
    environ: dict[str, str] = description["env"]
    sweep({STACK_MARK: environ[STACK_MARK], PROGRAM_MARK: name}, stop_signal=description["stop_signal"])
    os.chdir(description["cwd"])
    account = server_account() if description["is_unprivileged"] else None
    if account is not None:
        become(account)
    os.execve(description["command"][0], description["command"], environ)  # noqa: S606 - becoming the program is the point


def sweep(marks: dict[str, str], *, stop_signal: int = signal.SIGTERM) -> list[int]:
    """End every other process whose environment carries all `marks`, by force if it must be; return their pids.

    A program killed with -9 leaves its workers behind, and these still hold the port or still take tasks. Only Linux
    shows the environment of a process as a file; elsewhere there is nothing to find.
    """
    found = [pid for pid in find_marked(marks) if pid != os.getpid()]
    for number in (stop_signal, signal.SIGKILL):
        for pid in filter(_is_alive, found):
            _send(pid, number)
        deadline = time.monotonic() + SWEEP_TIMEOUT_S
        while any(_is_alive(pid) for pid in found) and time.monotonic() < deadline:
            time.sleep(0.02)
    return found


def find_marked(marks: dict[str, str]) -> list[int]:
    """Return the pids of all processes whose environment carries all `marks`."""
    wanted = {os.fsencode(f"{name}={value}") for name, value in marks.items()}
    pids = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted.issubset(variables):
            pids.append(int(folder.name))
    return pids


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


if __name__ == "__main__":
    main()
