"""Several client processes that begin at the same moment, and what each of them counted."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import percentile

ROOT = Path(__file__).resolve().parents[2]
# A client that has not ended by then is ended; no bench may run on by itself.
GRACE_S = 60.0


@dataclass(frozen=True, slots=True)
class Counted:
    """What all clients together got done, and how long each act took, in milliseconds."""

    done: int
    seconds: float
    latencies_ms: tuple[float, ...] = ()
    refused: int = 0

    @property
    def rate(self) -> float:
        """Acts in a second."""
        return self.done / self.seconds

    def latency_ms(self, share: float) -> float:
        """The latency that this share of the acts kept to."""
        return percentile(self.latencies_ms, share)


def run_clients(commands: Sequence[Sequence[str]], *, env: Mapping[str, str], cwd: Path, seconds: float) -> Counted:
    """Starts each command, lets all begin together once all have said that they are ready, and adds up their counts.

    A client prints `ready`, waits for a line of input, works for as long as its arguments say, and prints a JSON object
    with `done` and optionally `seconds`, `latencies_ms` and `refused`. Raises RuntimeError when one fails.
    """
    processes = [_start(command, env=env, cwd=cwd) for command in commands]
    try:
        for process in processes:
            _wait_ready(process)
        began = time.monotonic()
        for process in processes:
            _tell(process)
        answers = [_answer_of(process, timeout_s=seconds + GRACE_S) for process in processes]
        elapsed = max(float(answer.get("seconds", time.monotonic() - began)) for answer in answers)
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
            with process:
                pass  # closes its pipes and waits
    latencies = tuple(value for answer in answers for value in answer.get("latencies_ms", []))
    return Counted(
        done=sum(answer["done"] for answer in answers),
        seconds=elapsed,
        latencies_ms=latencies,
        refused=sum(answer.get("refused", 0) for answer in answers),
    )


def python_module(module: str, *arguments: object) -> list[str]:
    """The command that runs a module with the interpreter of this process."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def _start(command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(command, env=dict(env), cwd=cwd, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def _wait_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    if line.strip() != "ready":
        raise RuntimeError(f"A client did not start: {line!r} {process.args!r}")


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    # Not through the buffer: one that has ended by now is found out when it is asked for its answer.
    with suppress(BrokenPipeError):
        os.write(process.stdin.fileno(), b"go\n")


def _answer_of(process: subprocess.Popen[str], *, timeout_s: float) -> dict[str, Any]:
    output, _ = process.communicate(timeout=timeout_s)
    if process.returncode != 0:
        raise RuntimeError(f"A client failed with code {process.returncode}: {process.args!r}")
    answer: dict[str, Any] = json.loads(output.splitlines()[-1])
    return answer
