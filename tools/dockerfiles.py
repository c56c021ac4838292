"""Reads Dockerfiles and judges them by our own few rules. Not a full parser: what it does not know, it refuses."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

KNOWN: Final = frozenset(
    {
        "FROM",
        "WORKDIR",
        "COPY",
        "RUN",
        "ENV",
        "USER",
        "EXPOSE",
        "HEALTHCHECK",
        "CMD",
    }  # ADD and ARG are refused on purpose
)
SECRET_NAME: Final = re.compile(r"SECRET|PASSWORD|PASSWD|TOKEN|(?:^|_)KEY(?:$|_)|CREDENTIAL", re.IGNORECASE)
PINNED_IMAGE: Final = re.compile(
    r"^[a-z0-9][a-z0-9._/-]*:(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*)(?:@sha256:[0-9a-f]{64})?$"
)


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction with its continuation lines joined."""

    line: int
    name: str
    rest: str

    @property
    def arguments(self) -> list[str]:
        """The words without flags; the list itself for the exec form."""
        if self.rest.startswith("["):
            parsed: list[str] = json.loads(self.rest)
            return parsed
        return [word for word in shlex.split(self.rest) if not word.startswith("--")]

    def flag(self, name: str) -> str:
        """The value of `--name=value`, empty when it is not given."""
        found = re.search(rf"--{name}=(\S+)", self.rest)
        return found[1] if found else ""


@dataclass(kw_only=True)
class Stage:
    """What one FROM begins."""

    image: str
    alias: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, name: str) -> Instruction | None:
        """The last instruction of that name: the one that counts for CMD, USER and HEALTHCHECK."""
        found = [item for item in self.instructions if item.name == name]
        return found[-1] if found else None

    def environment(self) -> dict[str, str]:
        """What the ENV instructions set."""
        words = [word for item in self.instructions if item.name == "ENV" for word in item.arguments]
        return dict(word.split("=", 1) for word in words)


def parse(text: str) -> list[Stage]:
    """Return the stages. Raises ValueError for an instruction before the first FROM."""
    stages: list[Stage] = []
    for item in _instructions(text):
        if item.name == "FROM":
            image, *alias = item.arguments
            stages.append(Stage(image=image, alias=alias[-1] if alias else ""))
        elif not stages:
            raise ValueError(f"line {item.line}: {item.name} stands before FROM")
        else:
            stages[-1].instructions.append(item)
    return stages


def _instructions(text: str) -> list[Instruction]:
    found: list[Instruction] = []
    parts: list[str] = []
    started = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        started = started if parts else number
        parts.append(line.strip().removesuffix("\\").strip())
        if not line.rstrip().endswith("\\"):
            name, _, rest = " ".join(parts).partition(" ")
            found.append(Instruction(line=started, name=name.upper(), rest=rest.strip()))
            parts = []
    return found


def is_pinned(image: str) -> bool:
    """Say whether the image names a tag that is a version."""
    match = PINNED_IMAGE.match(image)
    return match is not None and any(letter.isdigit() for letter in match["tag"])


def problems(path: Path, *, root: Path) -> list[str]:
    """Judge one Dockerfile whose build context is `root`."""
    try:
        stages = parse(path.read_text())
    except ValueError as error:
        return [f"{path.relative_to(root)}: {error}"]
    if not stages:
        return [f"{path.relative_to(root)}: has no FROM."]
    found = [*_stage_problems(stages, root=root), *_final_problems(stages[-1])]
    return [f"{path.relative_to(root)}: {text}" for text in found]


def _stage_problems(stages: list[Stage], *, root: Path) -> list[str]:
    found: list[str] = []
    aliases: set[str] = set()
    for stage in stages:
        if stage.image not in aliases and not is_pinned(stage.image):
            found.append(f"the image {stage.image} is not pinned to a version's tag.")
        for item in stage.instructions:
            found += [f"line {item.line}: {text}" for text in _instruction_problems(item, root=root, aliases=aliases)]
        aliases.add(stage.alias)
    return found


def _instruction_problems(item: Instruction, *, root: Path, aliases: set[str]) -> list[str]:
    match item.name:
        case "ADD":
            return ["ADD unpacks and downloads behind one's back: use COPY."]
        case "ARG":
            return ["ARG values stay readable in the image's history: pass nothing at build time."]
        case "ENV":
            names = [word.split("=", 1)[0] for word in item.arguments]
            return [f"{name} would be baked into the image." for name in names if SECRET_NAME.search(name)]
        case "COPY":
            return _copy_problems(item, root=root, aliases=aliases)
        case name if name not in KNOWN:
            return [f"{name} is not an instruction that this repository uses."]
    return []


def _copy_problems(item: Instruction, *, root: Path, aliases: set[str]) -> list[str]:
    origin = item.flag("from")
    if origin:
        return [] if origin in aliases else [f"there is no stage {origin} above."]
    return [f"{name} does not exist." for name in item.arguments[:-1] if not (root / name).exists()]


def _final_problems(stage: Stage) -> list[str]:
    found: list[str] = []
    user = stage.last("USER")
    if user is None or user.rest.split(":")[0] in {"root", "0"}:
        found.append("the image would run as root: set USER.")
    found += [f"{name} is missing." for name in ("HEALTHCHECK", "CMD") if stage.last(name) is None]
    command = stage.last("CMD")
    if command is not None and not command.rest.startswith("["):
        found.append("CMD must have the exec form, or signals end at a shell.")
    return found
