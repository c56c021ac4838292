"""Judges what can be judged of the production shape without Docker: compose file, Dockerfiles, .env.example.

docker-compose.yml is checked against tools/schemas/compose.schema.json (our subset of the Compose Specification) and
against rules of our own; a problem is a sentence, and any problem is exit code 1.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import build_context
import dockerfiles
import env_names
import yaml
from jsonschema import Draft202012Validator

ROOT: Final = Path(__file__).resolve().parents[1]
SCHEMA: Final = Path(__file__).parent / "schemas" / "compose.schema.json"
DOCKERFILES: Final = ("backend/Dockerfile", "frontend/Dockerfile")
# The only service that the outside reaches.
PUBLISHED: Final = "proxy"

_REQUIRED_VALUE: Final = re.compile(r"\$\{[A-Z0-9_]+:\?[^}]*\}")

Service = dict[str, Any]


def compose_problems(document: dict[str, Any], *, root: Path) -> list[str]:
    """Judge a compose document: its shape first, then our rules, which rely on the shape."""
    schema = json.loads(SCHEMA.read_text())
    shape = sorted(
        Draft202012Validator(schema).iter_errors(document), key=lambda error: list(map(str, error.absolute_path))
    )
    if shape:
        return [f"{'.'.join(map(str, error.absolute_path)) or 'top level'}: {error.message}" for error in shape]
    services: dict[str, Service] = document["services"]
    found: list[str] = []
    for name, service in services.items():
        texts = [
            *image_problems(service, root=root),
            *secret_problems(service),
            *start_problems(service, services=services, root=root),
            *place_problems(name, service, document=document, root=root),
        ]
        found += [f"services.{name}: {text}" for text in texts]
    return found


def image_problems(service: Service, *, root: Path) -> list[str]:
    """Images of others are pinned; our own are built from a Dockerfile that exists."""
    build = service.get("build")
    if build is None:
        return (
            [] if dockerfiles.is_pinned(service["image"]) else [f"{service['image']} is not pinned to a version's tag."]
        )
    path = root / build["context"] / build["dockerfile"]
    return [] if path.is_file() else [f"{build['dockerfile']} does not exist."]


def secret_problems(service: Service) -> list[str]:
    """A secret comes from .env and has no default; passwords inside addresses count as well."""
    found: list[str] = []
    for name, value in service.get("environment", {}).items():
        if value is None:
            continue
        if dockerfiles.SECRET_NAME.search(name) and not _REQUIRED_VALUE.fullmatch(value):
            found.append(f"{name} must be ${{{name}:?...}}: from .env, without a default.")
        password = re.search(r"://[^/@:]*:(?P<password>.*)@", value)
        if password and not _REQUIRED_VALUE.fullmatch(password["password"]):
            found.append(f"the password in {name} must come from .env, without a default.")
    return found


def start_problems(service: Service, *, services: dict[str, Service], root: Path) -> list[str]:
    """Conditions of the start can come true; what runs on says whether it is well; workers have no pool."""
    found: list[str] = []
    for name, wanted in service.get("depends_on", {}).items():
        other = services.get(name)
        if other is None:
            found.append(f"depends on {name}, which is not there.")
        elif wanted["condition"] == "service_healthy" and not has_healthcheck(other, root=root):
            found.append(f"waits for {name} to be healthy, but {name} has no health check.")
        elif wanted["condition"] == "service_completed_successfully" and other["restart"] != "no":
            found.append(f"waits for {name} to end, but {name} is restarted for ever.")
    if service["restart"] != "no" and "healthcheck" not in service and not has_healthcheck(service, root=root):
        found.append("has no health check.")
    if service.get("command", [""])[0] == "celery" and service["environment"].get("DATABASE_POOL_SIZE") != "0":
        found.append("Celery forks: DATABASE_POOL_SIZE must be 0.")
    return found


def has_healthcheck(service: Service, *, root: Path) -> bool:
    """Say whether the service, or its image, has a health check that is on."""
    own = service.get("healthcheck")
    if own is not None:
        return "test" in own
    build = service.get("build")
    if build is None:
        return False
    path = root / build["context"] / build["dockerfile"]
    return path.is_file() and dockerfiles.parse(path.read_text())[-1].last("HEALTHCHECK") is not None


def place_problems(name: str, service: Service, *, document: dict[str, Any], root: Path) -> list[str]:
    """Networks and volumes are declared, mounted files exist, privileges are given up, one service is published."""
    found = [f"the network {item} is not declared." for item in service["networks"] if item not in document["networks"]]
    for mount in service.get("volumes", []):
        source = mount.split(":")[0]
        if source.startswith(("/", "~")) or "docker.sock" in source:
            found.append(f"{source}: nothing of the host outside the repository is mounted.")
        elif source.startswith("."):
            found += [] if (root / source).exists() else [f"{source} does not exist."]
            found += [] if mount.endswith(":ro") else [f"{source} must be mounted read-only."]
        elif source not in document["volumes"]:
            found.append(f"the volume {source} is not declared.")
    if service.get("ports") and name != PUBLISHED:
        found.append(f"publishes a port; only {PUBLISHED} may.")
    if "no-new-privileges:true" not in service.get("security_opt", []):
        found.append("lacks no-new-privileges.")
    if service.get("build") and not (service.get("read_only") and service.get("cap_drop") == ["ALL"]):
        found.append("our own images run read-only and without capabilities.")
    return found


def context_problems(*, root: Path) -> list[str]:
    """Each file and folder that a Dockerfile copies survives .dockerignore."""
    rules = build_context.read_rules((root / ".dockerignore").read_text())
    found: list[str] = []
    for name in DOCKERFILES:
        copies = [item for stage in dockerfiles.parse((root / name).read_text()) for item in stage.instructions]
        sources = [
            word for item in copies if item.name == "COPY" and not item.flag("from") for word in item.arguments[:-1]
        ]
        found += [
            f"{name}: .dockerignore keeps {source} out of the build."
            for source in sources
            if not any(build_context.files_below(root / source, root=root, rules=rules))
        ]
    return found


def example_problems(text: str, *, document: dict[str, Any]) -> list[str]:
    """What compose demands stands in .env.example as an empty assignment, not as a remark, and nothing else does."""
    demanded = set(re.findall(r"\$\{([A-Z0-9_]+):\?", yaml.safe_dump(document)))
    empty = set(re.findall(r"^([A-Z][A-Z0-9_]*)=$", text, flags=re.MULTILINE))
    assigned = set(re.findall(r"^([A-Z][A-Z0-9_]*)=", text, flags=re.MULTILINE))
    return [
        *(f".env.example: compose demands {name}: give it a line `{name}=`." for name in sorted(demanded - empty)),
        *(f".env.example: {name} is assigned, though nothing demands it." for name in sorted(assigned - demanded)),
    ]


def problems(root: Path) -> list[str]:
    """Everything that is wrong with the production shape of the repository at `root`."""
    document = yaml.safe_load((root / env_names.COMPOSE_FILE).read_text())
    return [
        *(f"{env_names.COMPOSE_FILE}: {text}" for text in compose_problems(document, root=root)),
        *(text for name in DOCKERFILES for text in dockerfiles.problems(root / name, root=root)),
        *context_problems(root=root),
        *env_names.problems(root),
        *example_problems((root / env_names.EXAMPLE_FILE).read_text(), document=document),
    ]


def main() -> int:
    """Print the problems."""
    found = problems(ROOT)
    for text in found:
        print(text, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
