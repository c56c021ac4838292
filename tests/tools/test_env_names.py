"""Every variable that is read is described in .env.example, and nothing else is."""

from pathlib import Path

import env_names
import pytest


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('env.int("POOL_SIZE", default=8)', {"POOL_SIZE"}),
        ('read_required("REDIS_URL", hint="Example: X_Y")', {"REDIS_URL"}),
        ('read_secret("SOME_SECRET")', {"SOME_SECRET"}),
        ('_read_url(merged, "DATABASE_URL", ("a",))', {"DATABASE_URL"}),
        ('os.environ["HOME_DIR"]', {"HOME_DIR"}),
        ('config.environ.get("WORKER_COUNT") or "2"', {"WORKER_COUNT"}),
        ('os.getenv("SHELL_NAME")', {"SHELL_NAME"}),
        ('parsed.get("ENGINE")', set()),
        ('secrets["POSTGRES_PASSWORD"]', set()),
        ("env.int(NAME)", set()),
    ],
)
def test_names_are_found_where_they_are_read(source: str, names: set[str]) -> None:
    assert env_names.names_in_python(source) == names


def test_each_port_has_its_variable() -> None:
    assert env_names.names_of_ports("class Ports:\n    backend: int = 1\n    mail_web: int = 2\n") == {
        "BACKEND_PORT",
        "MAIL_WEB_PORT",
    }


def test_compose_reads_interpolated_names_and_keys_without_a_value() -> None:
    text = (
        "services:\n  a:\n    environment:\n      ONE: ${FIRST:?x}${SECOND:-y}\n      THIRD:\n      FOUR: $${FIFTH}\n"
    )
    assert env_names.names_in_compose(text) == {"FIRST", "SECOND", "THIRD"}


def test_assignments_and_remarks_describe_but_prose_does_not() -> None:
    assert env_names.names_described("ONE=\n#TWO=2\n# THREE=3\n# four: FOUR is no line of its own\n") == [
        "ONE",
        "TWO",
        "THREE",
    ]


@pytest.fixture
def product(tmp_path: Path) -> Path:
    for name in ("backend/config/base.py", "frontend/config/base.py", "devstack/config.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text('env.str("LOG_LEVEL")\n')
    (tmp_path / "docker-compose.yml").write_text("x: ${PUBLIC_HOST}\n")
    (tmp_path / ".env.example").write_text("#LOG_LEVEL=INFO\nPUBLIC_HOST=\n")
    return tmp_path


def test_a_complete_description_has_no_problem(product: Path) -> None:
    assert env_names.problems(product) == []


@pytest.mark.parametrize(
    ("example", "problem"),
    [
        ("#LOG_LEVEL=INFO\n", "PUBLIC_HOST is not described, but docker-compose.yml reads it."),
        ("#LOG_LEVEL=\nPUBLIC_HOST=\n#OLD_NAME=\n", "nothing reads OLD_NAME."),
        ("#LOG_LEVEL=\nPUBLIC_HOST=\nPUBLIC_HOST=\n", "PUBLIC_HOST is described more than once."),
    ],
)
def test_a_difference_is_named(product: Path, example: str, problem: str) -> None:
    (product / ".env.example").write_text(example)
    assert env_names.problems(product) == [f".env.example: {problem}"]


def test_test_settings_are_no_installations_business(product: Path) -> None:
    (product / "backend/config/test.py").write_text('env.str("ONLY_IN_TESTS")\n')
    assert env_names.problems(product) == []
