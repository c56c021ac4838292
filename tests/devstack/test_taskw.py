"""The bootstrap script, with tools and Pythons of our own on PATH."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("sh", "dirname", "readlink", "grep", "cmp", "cp", "rm", "cat")
TASK = '#!/bin/sh\n[ "$1" = --help ] && { echo "Runs the tasks of a Taskfile"; exit; }\npwd -P\nprintf "<%s>" "$@"\n'
PYTHON = '#!/bin/sh\ncase "$2" in *sys.version*) exit {old} ;; *ensurepip*) exit {bare} ;; esac\n'


class Machine:
    """A clone and a PATH that holds only what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.bin = folder / "a clone", folder / "bin"
        (self.clone / "tools").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "taskw", self.clone)
        (self.clone / "tools" / "bootstrap.lock").write_text("uv==1\n")
        for name in NEEDED:
            (self.bin / name).symlink_to(str(shutil.which(name)))

    def add(self, name: str, script: str, *, folder: Path | None = None) -> None:
        path = (folder or self.bin) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)

    def run(self, *arguments: str, through: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [through or self.clone / "taskw", *arguments],
            cwd="/",
            env={"PATH": str(self.bin)},
            text=True,
            capture_output=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_tools_on_the_path_are_used_from_any_folder(machine: Machine) -> None:
    machine.add("uv", "#!/bin/sh\n")
    machine.add("task", TASK)
    assert machine.run("test", "--", "a b").stdout == f"{machine.clone.resolve()}\n<test><--><a b>"
    assert not (machine.clone / ".tools").exists()


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (("chaos", "--seeds", "5"), "<chaos><--><--seeds><5>"),
        (("chaos", "--", "--seeds", "5"), "<chaos><--><--seeds><5>"),
        (("logs", "backend", "-f"), "<logs><backend><-f>"),
        (("--list",), "<--list>"),
        (("check", "test"), "<check><test>"),
    ],
)
def test_options_after_a_command_are_that_commands(machine: Machine, given: tuple[str, ...], passed: str) -> None:
    machine.add("uv", "#!/bin/sh\n")
    machine.add("task", TASK)
    assert machine.run(*given).stdout.endswith(f"\n{passed}")


def test_it_works_through_a_chain_of_symlinks(machine: Machine, tmp_path: Path) -> None:
    machine.add("uv", "#!/bin/sh\n")
    machine.add("task", TASK)
    (tmp_path / "one").symlink_to("a clone/taskw")
    (tmp_path / "bin" / "two").symlink_to("../one")
    assert machine.run(through=tmp_path / "bin" / "two").stdout.startswith(str(machine.clone.resolve()))


def test_without_a_python_the_message_says_which(machine: Machine) -> None:
    machine.add("python3", PYTHON.format(old=1, bare=0))
    done = machine.run("up")
    assert (done.returncode, done.stderr) == (
        1,
        "taskw: no Python 3.11 or later on PATH. Install one and run this again.\n",
    )


def test_a_python_without_venv_is_named_with_the_remedy(machine: Machine) -> None:
    machine.add("python3.12", PYTHON.format(old=0, bare=1))
    done = machine.run("up")
    assert (done.returncode, "python3.12 has no venv module" in done.stderr) == (1, True)


def test_taskwarrior_is_not_taken_for_go_task(machine: Machine) -> None:
    machine.add("uv", "#!/bin/sh\n")
    machine.add("task", "#!/bin/sh\necho A command line to-do list\n")
    assert "no Python 3.11" in machine.run("up").stderr


def test_tools_that_are_there_are_kept_until_the_lock_changes(machine: Machine) -> None:
    tools = machine.clone / ".tools"
    machine.add("uv", "#!/bin/sh\n", folder=tools / "bin")
    machine.add("task", TASK, folder=tools / "bin")
    shutil.copy(machine.clone / "tools" / "bootstrap.lock", tools / "installed.lock")
    assert machine.run("up").stdout.endswith("<up>")
    (machine.clone / "tools" / "bootstrap.lock").write_text("uv==2\n")
    assert "no Python 3.11" in machine.run("up").stderr


def test_the_lock_has_hashes_and_no_address() -> None:
    text = (ROOT / "tools" / "bootstrap.lock").read_text()
    assert ("uv==" in text, "go-task-bin==" in text, "--hash=sha256:" in text) == (True, True, True)
    assert "://" not in text
