"""A command beside servers of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import psycopg
import pytest

from devstack.with_servers import servers

PRINT_ADDRESSES = """
import json, os
names = ("DATABASE_URL", "FRONTEND_DATABASE_URL", "REDIS_URL")
print(json.dumps({name: os.environ[name] for name in names}), flush=True)
"""
OWN = ("DATABASE_URL", "FRONTEND_DATABASE_URL", "REDIS_URL")


def launch(*command: str) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if name not in OWN}
    module = [sys.executable, "-m", "devstack.with_servers", "--"]
    pipe = subprocess.PIPE
    return subprocess.Popen([*module, *command], env=environ, text=True, stdin=subprocess.DEVNULL, stdout=pipe)


def test_the_commands_exit_code_comes_back_and_it_has_servers() -> None:
    query = "import psycopg, os; psycopg.connect(os.environ['DATABASE_URL']).execute('CREATE EXTENSION vector')"
    process = launch(sys.executable, "-c", f"{PRINT_ADDRESSES}\ntry: {query}\nexcept Exception as e: print(e)\nexit(7)")
    output, _ = process.communicate(timeout=60)
    addresses = json.loads(output.splitlines()[0])
    assert process.returncode == 7
    assert addresses["FRONTEND_DATABASE_URL"] == f"{addresses['DATABASE_URL']}_frontend"
    assert 'extension "vector" already exists' in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_command_and_nothing_is_left(number: signal.Signals) -> None:
    process = launch(sys.executable, "-c", f"{PRINT_ADDRESSES}\nimport time; time.sleep(60)")
    assert process.stdout is not None
    json.loads(process.stdout.readline())
    servers_of_it = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    assert process.wait(timeout=30) != 0
    gone, alive = psutil.wait_procs(servers_of_it, timeout=5)
    assert (len(gone) > 2, alive) == (True, [])
    process.stdout.close()


def test_servers_end_with_a_parent_that_was_killed() -> None:
    process = launch(sys.executable, "-c", f"{PRINT_ADDRESSES}\nimport time; time.sleep(5)")
    assert process.stdout is not None
    json.loads(process.stdout.readline())
    servers_of_it = [
        child
        for child in psutil.Process(process.pid).children()
        if child.name() in {"postgres", "valkey-server"} and child.is_running()
    ]
    process.kill()
    process.wait()
    process.stdout.close()
    assert len(servers_of_it) == 2
    assert psutil.wait_procs(servers_of_it, timeout=10)[1] == []


def test_addresses_that_are_set_are_used() -> None:
    with servers(environ={}) as ours:
        environ = {"DATABASE_URL": ours["DATABASE_URL"], "REDIS_URL": ours["REDIS_URL"]}
        begun = time.monotonic()
        with servers(environ={**environ, "FRONTEND_DATABASE_URL": f"{ours['DATABASE_URL']}_other"}) as theirs:
            assert theirs["REDIS_URL"] == ours["REDIS_URL"]
            psycopg.connect(theirs["FRONTEND_DATABASE_URL"]).close()
        assert time.monotonic() - begun < 1


def test_the_role_is_no_superuser_but_may_make_databases() -> None:
    with servers(environ={}) as addresses, psycopg.connect(addresses["DATABASE_URL"]) as connection:
        statement = "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(statement).fetchone() == (False, True)
        for name in ("vector", "pg_trgm", "btree_gist", "pg_stat_statements"):
            connection.execute(f"CREATE EXTENSION IF NOT EXISTS {name}")


def test_durable_servers_keep_fsync_on() -> None:
    with servers(environ={}, is_durable=True) as addresses, psycopg.connect(addresses["DATABASE_URL"]) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
