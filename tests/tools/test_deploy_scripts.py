"""The scripts that images carry beside the services."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


class Store(ThreadingHTTPServer):
    """Enough of an S3 store to make a bucket in."""

    def __init__(self, refusal: str) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.refusal = refusal
        self.made: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Store

    def do_PUT(self) -> None:
        code = self.server.refusal or ("BucketAlreadyOwnedByYou" if self.path in self.server.made else "")
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode() if code else b""
        if not code:
            self.server.made.append(self.path)
        self.send_response(403 if self.server.refusal else 409 if code else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Quiet."""


@contextmanager
def store(*, refusal: str = "") -> Iterator[Store]:
    with Store(refusal) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def create_bucket(port: int) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "S3_BUCKET": "afterresume",
        "S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "S3_ACCESS_KEY": "name",
        "S3_SECRET_KEY": "hidden-word",
    }
    command = [sys.executable, str(DEPLOY / "create_bucket.py")]
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False)


def test_the_bucket_is_made_once_and_found_afterwards() -> None:
    with store() as running:
        codes = [create_bucket(running.server_port).returncode for _ in range(2)]
    assert (codes, running.made) == ([0, 0], ["/afterresume"])


def test_a_refusal_of_the_store_is_told_without_the_key() -> None:
    with store(refusal="AccessDenied") as running:
        done = create_bucket(running.server_port)
    assert done.returncode == 1
    assert "AccessDenied" in done.stderr
    assert "hidden-word" not in done.stderr


@pytest.mark.parametrize("status", [200, 503])
def test_the_health_check_repeats_what_the_service_says(status: int) -> None:
    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_well = self.headers["Host"] == "api.example.test" and self.path == "/health/" and status == 200
            self.send_response(200 if is_well else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        environment = {"ALLOWED_HOSTS": "api.example.test,backend", "GRANIAN_PORT": str(server.server_port)}
        command = [sys.executable, str(DEPLOY / "healthcheck.py"), "/health/"]
        done = subprocess.run(command, env=environment, capture_output=True, check=False)
        server.shutdown()
        thread.join()
    assert (done.returncode == 0) is (status == 200)
