"""The compose file of this repository passes; each weakness planted in it is found."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import deploy_check
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SECRETLESS = "postgres://afterresume:${BACKEND_DATABASE_PASSWORD:-easy}@postgres/afterresume"

Change = Callable[[dict[str, Any]], object]


def test_this_repository_has_no_problem() -> None:
    assert deploy_check.problems(ROOT) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda s: s["proxy"].update(privileged=True), "'privileged' was unexpected"),
        (lambda s: s["valkey"].update(image="valkey/valkey:latest"), "not pinned"),
        (lambda s: s["valkey"].update(image="valkey/valkey"), "not pinned"),
        (lambda s: s["backend"]["build"].update(dockerfile="gone/Dockerfile"), "gone/Dockerfile does not exist"),
        (lambda s: s["backend"]["environment"].update(S3_SECRET_KEY="abc"), "S3_SECRET_KEY must be"),
        (lambda s: s["postgres"]["environment"].update(POSTGRES_PASSWORD="${POSTGRES_PASSWORD:-postgres}"), "must be"),
        (lambda s: s["backend"]["environment"].update(DATABASE_URL=SECRETLESS), "password in DATABASE_URL"),
        (lambda s: s["worker"]["environment"].update(DATABASE_POOL_SIZE="8"), "DATABASE_POOL_SIZE must be 0"),
        (lambda s: s["worker"]["depends_on"].update(gone={"condition": "service_started"}), "depends on gone"),
        (lambda s: s["valkey"].pop("healthcheck"), "waits for valkey to be healthy"),
        (lambda s: s["beat"]["depends_on"]["valkey"].update(condition="service_up"), "is not one of"),
        (lambda s: s["proxy"].pop("healthcheck"), "proxy: has no health check"),
        (lambda s: s["bucket"].update(restart="always"), "bucket is restarted for ever"),
        (lambda s: s["postgres"].update(ports=["5432:5432"]), "only proxy may"),
        (lambda s: s["proxy"].update(networks=["elsewhere"]), "the network elsewhere is not declared"),
        (lambda s: s["valkey"].update(volumes=["other:/data"]), "the volume other is not declared"),
        (lambda s: s["proxy"].update(volumes=["/var/run/docker.sock:/run/docker.sock"]), "outside the repository"),
        (lambda s: s["proxy"].update(volumes=["./deploy/Gone:/etc/x:ro"]), "./deploy/Gone does not exist"),
        (lambda s: s["proxy"].update(volumes=["./deploy/Caddyfile:/etc/x"]), "must be mounted read-only"),
        (lambda s: s["postgres"].update(security_opt=[]), "lacks no-new-privileges"),
        (lambda s: s["frontend"].update(read_only=False), "run read-only and without capabilities"),
        (lambda s: s["backend"]["deploy"]["resources"]["limits"].pop("memory"), "'memory' is a required property"),
    ],
)
def test_a_weakness_is_found(change: Change, problem: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    change(document["services"])
    found = deploy_check.compose_problems(document, root=ROOT)
    assert any(problem in text for text in found), found


@pytest.mark.parametrize(
    ("example", "problem"),
    [
        ("A_KEY=\n", ".env.example: compose demands HOST: give it a line `HOST=`."),
        ("HOST=\nA_KEY=abc\n", ".env.example: compose demands A_KEY: give it a line `A_KEY=`."),
        ("HOST=\nA_KEY=\nMODE=x\n", ".env.example: MODE is assigned, though nothing demands it."),
    ],
)
def test_the_example_has_an_empty_line_for_what_is_demanded(example: str, problem: str) -> None:
    document = {"services": {"a": {"environment": {"HOST": "${HOST:?x}", "A_KEY": "${A_KEY:?x}", "M": "${MODE:-x}"}}}}
    assert problem in deploy_check.example_problems(example, document=document)


def test_a_source_that_dockerignore_keeps_out_is_found(tmp_path: Path) -> None:
    for service in ("backend", "frontend"):
        (tmp_path / service).mkdir()
        (tmp_path / service / "main.py").touch()
        (tmp_path / service / "Dockerfile").write_text(f"FROM x:1\nCOPY {service}/ ./\n")
    (tmp_path / ".dockerignore").write_text("frontend\n")
    assert deploy_check.context_problems(root=tmp_path) == [
        "frontend/Dockerfile: .dockerignore keeps frontend/ out of the build."
    ]
