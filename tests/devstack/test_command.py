"""`python -m devstack` as a person meets it when something is in the way."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.config import Ports
from devstack.launch import STACK_MARK, find_marked
from devstack.lifecycle import StackError
from devstack.net import free_ports
from devstack.stack import Stack

PRODUCT = Path(__file__).with_name("product")


def run(data_dir: Path, *arguments: str, answer: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    names = list(Ports().as_dict())
    ports = {Ports.variable(name): str(port) for name, port in zip(names, free_ports(len(names)), strict=True)}
    clean = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return subprocess.run(
        [sys.executable, "-m", "devstack", *arguments],
        env={**clean, **ports, "DATA_DIR": str(data_dir), **environ},
        input=answer,
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )


def test_a_busy_port_names_its_variable_and_its_holder_and_starts_nothing(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = run(tmp_path, "up", BACKEND_PORT=str(port))
    assert done.returncode == 1
    assert f"Port {port} (backend) is taken by " in done.stderr
    assert f"(pid {os.getpid()}). Choose another with BACKEND_PORT=..." in done.stderr
    assert find_marked({STACK_MARK: str(tmp_path)}) == []


def test_a_bad_variable_is_a_message_and_not_a_trace(tmp_path: Path) -> None:
    done = run(tmp_path, "up", FRONTEND_PORT="no")
    assert (done.returncode, done.stderr) == (1, "FRONTEND_PORT is 'no': a port is a number from 1 to 65535.\n")


def test_down_and_status_of_nothing(tmp_path: Path) -> None:
    down, status = run(tmp_path, "down"), run(tmp_path, "status")
    assert (down.returncode, down.stdout) == (0, "Nothing was running.\n")
    assert (status.returncode, status.stdout.count("DOWN")) == (1, 9)


@pytest.mark.parametrize(("answer", "is_kept"), [("n\n", True), ("y\n", False)])
def test_reset_asks_first(tmp_path: Path, answer: str, is_kept: bool) -> None:
    (tmp_path / "postgres").mkdir()
    done = run(tmp_path, "reset", answer=answer)
    assert (done.returncode == 1, (tmp_path / "postgres").exists()) == (is_kept, is_kept)


def test_reset_can_be_told_not_to_ask(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    assert run(tmp_path, "reset", "--yes").returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_manage_without_a_stack_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, "manage", "backend", "check")
    assert (done.returncode, done.stderr) == (1, "AfterResume is not up: ./taskw up\n")


def test_a_database_of_ones_own_that_does_not_answer_is_named(tmp_path: Path) -> None:
    url = f"postgres://u:secret@127.0.0.1:{free_ports(1)[0]}/ar"
    stack = Stack(root=PRODUCT, data_dir=tmp_path, env={"DATABASE_URL": url}, wanted=["valkey", "backend"])
    with pytest.raises(StackError, match="DATABASE_URL: the database cannot be reached") as caught:
        stack.start()
    stack.stop()
    assert "secret" not in str(caught.value)


def test_a_program_that_does_not_start_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    env = {"DJANGO_SETTINGS_MODULE": "config.settings.dev", "BACKEND_WORKERS": "none"}
    stack = Stack(root=PRODUCT, data_dir=tmp_path, env=env, wanted=["postgres", "valkey", "backend"])
    with pytest.raises(StackError, match=r"backend is not healthy(?s:.)*Invalid value for '--workers'"):
        stack.start()
    stack.stop()
    assert find_marked({STACK_MARK: str(tmp_path)}) == []
