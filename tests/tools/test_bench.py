"""What in the benches could be wrong without anybody noticing: statistics, verdicts, tables, what is sent and read."""

import json
import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.bench import load, pgbench
from tests.bench.clients import Counted, run_clients
from tests.bench.figures import Figure, percentile, render_environment, render_table

REPORT = (
    "latency average = 1.250 ms\ninitial connection time = 7.1 ms\ntps = 3200.5 (without initial connection time)\n"
)


def make_figure(value: float = 50.0, *, reference: float | None = 100.0, aim: float | None = 0.4) -> Figure:
    return Figure(id="P0", what="acts", value=value, unit="acts/s", reference_name="bare", reference=reference, aim=aim)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.5, 2), (0.75, 3), (0.99, 4), (1.0, 4)])
def test_a_percentile_is_one_of_the_values(share: float, expected: float) -> None:
    assert percentile([4, 1, 3, 2], share) == expected


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile([], 0.5)


@pytest.mark.parametrize(("aim", "reached"), [(0.5, True), (0.51, False), (None, None)])
def test_the_aim_is_about_the_ratio(aim: float | None, *, reached: bool | None) -> None:
    assert make_figure(aim=aim).is_reached is reached


@pytest.mark.parametrize(("value", "reached"), [(49.9, True), (50.1, False)])
def test_without_a_reference_the_aim_is_about_the_value(value: float, *, reached: bool) -> None:
    figure = Figure(id="P0", what="p99", value=value, unit="ms", aim=50, is_ceiling=True)
    assert (figure.is_reached, figure.ratio) == (reached, None)


def test_the_table_shows_measure_reference_ratio_and_verdict() -> None:
    table = render_table([make_figure(1234.4, reference=2000.0), make_figure(12.34, reference=None, aim=None)])
    assert table.splitlines()[2:] == [
        "| P0 | acts | 1,234 acts/s | bare: 2,000 | 0.62 | >= 0.4 | reached |",
        "| P0 | acts | 12.3 acts/s |  |  |  |  |",
    ]


def test_a_result_that_falls_short_is_marked() -> None:
    assert "**short**" in render_table([make_figure(aim=0.9)])


def test_figures_go_to_json_with_their_ratio() -> None:
    stored = json.loads(json.dumps(make_figure().to_json()))
    assert (stored["ratio"], stored["is_reached"], stored["rounds"]) == (0.5, True, [])


def test_the_environment_is_a_list() -> None:
    assert render_environment({"cores": "2"}) == "- cores: 2"


def test_pgbench_is_read() -> None:
    assert pgbench.parse(REPORT) == pgbench.Outcome(rate=3200.5, latency_ms=1.25)


@pytest.mark.parametrize(("output", "errors"), [("tps = 1\n", ""), (REPORT, "Run was aborted")])
def test_a_pgbench_that_gave_up_measured_nothing(output: str, errors: str) -> None:
    with pytest.raises(RuntimeError):
        pgbench.parse(output, errors)


CLIENT = """
import json, sys
print("ready", flush=True); sys.stdin.readline()
print(json.dumps({"done": 3, "seconds": 2.0, "latencies_ms": [1.0, 2.0, 9.0], "refused": 1}))
"""


def test_what_clients_count_is_added_up(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CLIENT]
    counted = run_clients([command, command], env={}, cwd=tmp_path, seconds=1)
    assert (counted.done, counted.rate, counted.refused, counted.latency_ms(0.5)) == (6, 3.0, 2, 2.0)


@pytest.mark.parametrize("code", ["", "import sys; print('ready', flush=True); sys.exit(3)"])
def test_a_client_that_fails_is_an_error(tmp_path: Path, code: str) -> None:
    with pytest.raises(RuntimeError):
        run_clients([[sys.executable, "-c", code]], env={}, cwd=tmp_path, seconds=1)


def test_a_rate_is_acts_in_a_second() -> None:
    assert Counted(done=10, seconds=4.0).rate == 2.5


def test_an_open_loop_is_due_at_a_fixed_pace() -> None:
    next_due = load.schedule(began=100.0, seconds=0.03, rate=100)
    assert [next_due() for _ in range(5)] == [100.0, 100.01, 100.02, None, None]


def test_each_event_is_signed_and_its_own() -> None:
    make = load.event_maker(port=80, path="/hook/", secret="only-for-tests")
    first, second = make(), make()
    head, _, body = first.partition(b"\r\n\r\n")
    at = int(head.split(b"t=")[1].split(b",")[0])
    assert load.sign(body, secret="only-for-tests", at=at).encode() in head
    assert (head.splitlines()[0], f"Content-Length: {len(body)}".encode() in head) == (b"POST /hook/ HTTP/1.1", True)
    assert json.loads(body)["id"] != json.loads(second.partition(b"\r\n\r\n")[2])["id"]


def test_an_answer_is_read_to_its_end() -> None:
    server, client = socket.socketpair()
    thread = threading.Thread(target=server.sendall, args=(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour",))
    thread.start()
    assert load.read_status(client) == 200
    thread.join()
    server.close()
    with pytest.raises(ConnectionError):
        load.read_status(client)
    client.close()
