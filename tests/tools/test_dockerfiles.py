"""Our rules for Dockerfiles, each against a file that breaks it."""

from pathlib import Path

import build_context
import dockerfiles
import pytest

GOOD = """\
# An image.
FROM python:3.11-slim AS build
COPY lock.txt ./
FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH \\
    MODE=production
COPY --from=build /venv /venv
WORKDIR /app
COPY app/ ./
USER app
HEALTHCHECK --interval=5s CMD ["true"]
CMD ["serve", "--all"]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "lock.txt").touch()
    (tmp_path / "app" / "tests").mkdir(parents=True)
    (tmp_path / "app" / "main.py").touch()
    (tmp_path / "app" / "tests" / "test_main.py").touch()
    (tmp_path / ".dockerignore").write_text("**\n!lock.txt\n!app/**\n**/tests\n")
    return tmp_path


def judge(root: Path, text: str) -> list[str]:
    (root / "Dockerfile").write_text(text)
    return [problem.removeprefix("Dockerfile: ") for problem in dockerfiles.problems(root / "Dockerfile", root=root)]


def test_a_good_file_passes(root: Path) -> None:
    assert judge(root, GOOD) == []


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ("python:3.11-slim\nENV", "python\nENV", "the image python is not pinned"),
        ("python:3.11-slim\nENV", "python:latest\nENV", "the image python:latest is not pinned"),
        ("USER app", "USER root", "would run as root"),
        ("USER app", "USER 0:0", "would run as root"),
        ("USER app\n", "", "would run as root"),
        ("COPY app/ ./", "ADD app/ ./", "ADD unpacks"),
        ("COPY app/ ./", "COPY gone/ ./", "gone/ does not exist."),
        ("--from=build", "--from=elsewhere", "there is no stage elsewhere above."),
        ("MODE=production", "API_TOKEN=abc", "API_TOKEN would be baked into the image."),
        ("WORKDIR /app", "ARG SECRET", "ARG values stay readable"),
        ("WORKDIR /app", "ONBUILD RUN true", "ONBUILD is not an instruction"),
        ('HEALTHCHECK --interval=5s CMD ["true"]\n', "", "HEALTHCHECK is missing."),
        ('CMD ["serve", "--all"]', "CMD serve --all", "CMD must have the exec form"),
        ("# An image.", "USER app", "USER stands before FROM"),
        (GOOD, "# nothing", "has no FROM."),
    ],
)
def test_a_bad_file_is_told_why(root: Path, good: str, bad: str, problem: str) -> None:
    assert good in GOOD
    found = judge(root, GOOD.replace(good, bad, 1))
    assert len(found) == 1
    assert problem in found[0]


def test_the_last_instruction_counts_and_the_environment_is_collected() -> None:
    stage = dockerfiles.parse(GOOD)[-1]
    assert stage.environment() == {"PATH": "/venv/bin:$PATH", "MODE": "production"}
    command = stage.last("CMD")
    assert command is not None
    assert command.arguments == ["serve", "--all"]


def test_a_stage_is_laid_out_as_the_image_would_hold_it(root: Path, tmp_path: Path) -> None:
    target = tmp_path / "image"
    build_context.lay_out(dockerfiles.parse(GOOD)[-1], root=root, target=target)
    assert [path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()] == ["app/main.py"]


@pytest.mark.parametrize(
    ("name", "is_included"),
    [
        ("app/main.py", True),
        ("app/deep/er/x.py", True),
        ("app/tests/test_main.py", False),
        (".env", False),
        (".git/config", False),
        ("lock.txt", True),
        ("lock.txt.bak", False),
    ],
)
def test_the_last_matching_line_of_dockerignore_decides(root: Path, name: str, *, is_included: bool) -> None:
    rules = build_context.read_rules((root / ".dockerignore").read_text())
    assert build_context.is_included(name, rules) is is_included
