"""A vulnerable package fails the check, and nobody to ask is never taken for a clean bill."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import audit
import pytest

LOCKED = """\
django==5.2.19 \\
    --hash=sha256:00
    # via us
sqlparse==0.5.3 ; python_version > '3.9' \\
    --hash=sha256:11
"""

pytestmark = pytest.mark.failure("D17")


@contextmanager
def service(answer: Callable[[str], Any]) -> Iterator[str]:
    """An OSV service on loopback that answers by the package's name."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(answer(query["package"]["name"])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def vulnerable(name: str) -> dict[str, Any]:
    affected = {
        "package": {"name": name, "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.6.0"}]}],
    }
    return {"vulns": [{"id": "PYSEC-2099-1", "summary": "Bad.", "affected": [affected]}]}


@pytest.fixture(autouse=True)
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCKED)
    monkeypatch.setattr(audit, "LOCK", lock)


def test_a_vulnerable_package_is_named_with_its_cure(capsys: pytest.CaptureFixture[str]) -> None:
    with service(lambda name: vulnerable(name) if name == "sqlparse" else {}) as url:
        assert audit.main(["--osv-url", url, "--may-be-offline"]) == audit.VULNERABLE
    assert "VULNERABLE: sqlparse 0.5.3: PYSEC-2099-1, fixed in 0.6.0" in capsys.readouterr().err


def test_nothing_known_is_a_pass() -> None:
    with service(lambda _: {}) as url:
        assert audit.main(["--osv-url", url]) == audit.NOTHING_KNOWN


@pytest.mark.parametrize(("options", "code"), [([], audit.NOT_ASKED), (["--may-be-offline"], audit.NOTHING_KNOWN)])
def test_nobody_to_ask_is_said_aloud(options: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["--osv-url", "http://127.0.0.1:1/v1/query", *options]) == code
    assert "COULD NOT ASK" in capsys.readouterr().err


def test_a_package_that_the_service_does_not_know_is_not_a_pass(capsys: pytest.CaptureFixture[str]) -> None:
    output = json.dumps({"dependencies": [{"name": "django", "skip_reason": "not found"}]})
    assert audit.judge(audit.read(output), may_be_offline=False) == audit.NOT_ASKED
    assert "does not know django" in capsys.readouterr().err


def test_every_locked_package_is_asked_about_by_its_version() -> None:
    assert audit.locked(LOCKED) == ["django==5.2.19", "sqlparse==0.5.3"]
