"""The stack with a product of the smallest kind: up, killed in every way, up again, down."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
import redis

from devstack.launch import STACK_MARK, find_marked
from devstack.lifecycle import StackError, clear_stale_pid_file
from devstack.stack import Stack

PRODUCT = Path(__file__).with_name("product")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack(root=PRODUCT, env={"LLM_MODEL": "m"}) as stack:
        yield stack


def write(stack: Stack, value: str) -> None:
    with psycopg.connect(stack.owner_database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
        connection.execute("DELETE FROM kept")
        connection.execute("INSERT INTO kept VALUES (%s)", [value])
    with redis.Redis.from_url(stack.env["REDIS_URL"]) as client:
        client.set("kept", value)


def read(stack: Stack) -> tuple[str, str]:
    with psycopg.connect(stack.owner_database_url) as connection:
        row = connection.execute("SELECT value FROM kept").fetchone()
    with redis.Redis.from_url(stack.env["REDIS_URL"], decode_responses=True) as client:
        value = client.get("kept")
    assert row is not None
    return row[0], str(value)


def marked(stack: Stack) -> list[int]:
    return find_marked({STACK_MARK: str(stack.data_dir.resolve())})


def command(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "DATA_DIR": str(stack.data_dir)}
    for name in ("DATABASE_URL", "FRONTEND_DATABASE_URL", "REDIS_URL"):
        environ.pop(name, None)
    module = [sys.executable, "-m", "devstack", *arguments]
    return subprocess.run(module, env=environ, text=True, capture_output=True, check=False, timeout=60)


def test_all_programs_are_well_and_know_their_addresses(stack: Stack) -> None:
    stack.wait_healthy()
    environ = httpx.get(f"{stack.urls.backend}/env").json()
    assert (environ["LLM_MODEL"], environ["DJANGO_SETTINGS_MODULE"]) == ("m", "config.settings.dev")
    assert "FRONTEND_SECRET_KEY" not in environ
    assert httpx.get(f"{stack.urls.frontend}/env").json()["BACKEND_BASE_URL"] == stack.urls.backend


def test_secrets_and_admin_password_are_for_the_owner_alone(stack: Stack) -> None:
    for name in ("secrets.env", "admin-password", "run/programs.json", "run/installation.json", "valkey/valkey.conf"):
        assert (stack.data_dir / name).stat().st_mode & 0o077 == 0
    assert stack.data_dir.stat().st_mode & 0o777 == 0o700
    assert stack.admin_password == "generated-by-bootstrap"


def test_no_secret_is_in_a_command_line(stack: Stack) -> None:
    secrets = [line.partition("=")[2] for line in (stack.data_dir / "secrets.env").read_text().splitlines()]
    lines = [" ".join(psutil.Process(pid).cmdline()) for pid in marked(stack)]
    assert len(lines) > 8
    assert not [line for line in lines if any(secret in line for secret in secrets)]


def test_passkeys_are_made_on_request(stack: Stack) -> None:
    assert stack.create_passkey(promo_credit="7.50") == "key-worth-7.50"


@pytest.mark.parametrize("program", ["backend", "frontend", "worker", "beat", "postgres", "valkey", "standin-stripe"])
def test_a_killed_program_comes_back(stack: Stack, program: str) -> None:
    old = stack.kill(program)
    assert stack.wait_restarted(program, old_pid=old) != old


def test_a_killed_server_leaves_no_worker_behind(stack: Stack) -> None:
    children = psutil.Process(stack.pid("backend")).children(recursive=True)
    stack.wait_restarted("backend", old_pid=stack.kill("backend"))
    assert children
    assert psutil.wait_procs(children, timeout=5)[1] == []


def test_a_stopped_program_stays_down_until_started(stack: Stack) -> None:
    stack.stop_program("backend")
    assert stack.pid("backend") == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(stack.urls.backend)
    stack.start_program("backend")
    assert httpx.get(stack.urls.backend).status_code == 200


def test_a_changed_environment_reaches_a_restarted_program(stack: Stack) -> None:
    stack.update_env({"FAILPOINTS": "here=kill"})
    stack.restart("backend")
    assert httpx.get(f"{stack.urls.backend}/env").json()["FAILPOINTS"] == "here=kill"


def test_after_a_stop_and_a_start_nothing_is_lost(stack: Stack) -> None:
    write(stack, "through a stop")
    stack.stop()
    assert marked(stack) == []
    stack.start()
    assert read(stack) == ("through a stop", "through a stop")


def test_after_a_kill_of_everything_nothing_is_lost(stack: Stack) -> None:
    write(stack, "through a kill")
    time.sleep(1.1)  # Valkey syncs its file every second
    for pid in marked(stack):
        os.kill(pid, signal.SIGKILL)
    stack.start()
    assert read(stack) == ("through a kill", "through a kill")


def test_after_a_kill_of_the_supervisor_the_orphans_are_replaced(stack: Stack) -> None:
    write(stack, "through orphans")
    old = stack.pid("postgres")
    os.kill(int((stack.data_dir / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
    stack.start()
    assert (read(stack)[0], stack.pid("postgres") != old) == ("through orphans", True)


def test_a_program_that_stopped_is_started_by_another_start(stack: Stack) -> None:
    stack.stop_program("worker")
    others = stack.pid("backend")
    stack.start()
    assert stack.is_healthy("worker")
    assert stack.pid("backend") == others


def test_status_shows_a_table_and_whether_all_is_well(stack: Stack) -> None:
    # Whatever a test before this one has killed may just be coming back.
    stack.wait_healthy()
    good = command(stack, "status")
    stack.stop_program("beat")
    bad = command(stack, "status")
    stack.start_program("beat")
    assert (good.returncode, bad.returncode) == (0, 1), good.stdout
    assert str(stack.pid("backend")) in good.stdout


def test_logs_come_with_the_programs_name(stack: Stack) -> None:
    assert "worker | " in command(stack, "logs", "worker").stdout
    unknown = command(stack, "logs", "nothing")
    assert (unknown.returncode, "There are: " in unknown.stderr) == (1, True)


def test_a_failed_command_says_so_with_the_end_of_its_output(stack: Stack) -> None:
    with pytest.raises(StackError, match=r"backend: nonsense failed(?s:.)*Unknown command: 'nonsense'"):
        stack.manage("backend", "nonsense")


def test_a_pid_file_that_names_another_program_is_removed(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n{tmp_path}\n")
    clear_stale_pid_file(tmp_path)
    assert not (tmp_path / "postmaster.pid").exists()
