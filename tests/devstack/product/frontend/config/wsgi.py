"""Answers its health check, and at /env the names of the variables that it was given."""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(dict(os.environ)).encode()] if environ["PATH_INFO"] == "/env" else [b'{"status": "ok"}']
