"""Which environment variables the product reads, and which ones .env.example describes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Read by the settings and the one-machine stack. Test settings are not an installation's business.
CODE_FOLDERS: Final = ("backend/config", "frontend/config", "devstack")
NOT_FOR_INSTALLATIONS: Final = ("test.py", "chaos.py")
COMPOSE_FILE: Final = "docker-compose.yml"
EXAMPLE_FILE: Final = ".env.example"

# Set by the machine, by the image or by the product for its own children: nobody writes them into .env.
NOT_CONFIGURATION: Final = frozenset({"DJANGO_SETTINGS_MODULE", "FAILPOINTS", "HOME", "PATH", "LLM_STANDIN_API_KEY"})

_NAME: Final = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$|^[A-Z]{4,}$")
_COMPOSE: Final = re.compile(r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)")
_DESCRIBED: Final = re.compile(r"^#? ?([A-Z][A-Z0-9_]*)=")
_READERS: Final = frozenset(
    {"str", "int", "bool", "float", "list", "url", "db_url", "json", "getenv"}
    | {"read_required", "read_secret", "read_secrets", "read_database", "read_base_url", "_read_url"}
    | {"read_int", "read_choice", "read_limits", "read_optional", "read_origins", "read_secrets"}
)


def names_in_python(source: str) -> set[str]:
    """Return the names that a module reads: the literal given to a reader, or the literal index of an `environ`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="get", value=mapping), args=arguments):
                if _is_environment(mapping):
                    found.update(_literals(arguments))
            case ast.Call(func=ast.Attribute(attr=reader) | ast.Name(id=reader), args=arguments):
                if reader in _READERS:
                    found.update(_literals(arguments))
            case ast.Subscript(value=mapping, slice=index):
                if _is_environment(mapping):
                    found.update(_literals([index]))
    return found


def _is_environment(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in {"environ", "merged"}
    return False


def _literals(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes[:2]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAME.match(node.value):
            yield node.value


def names_of_ports(source: str) -> set[str]:
    """Return the `<NAME>_PORT` variables of the class Ports in devstack/config.py."""
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "Ports"]
    fields = [item.target for node in classes for item in node.body if isinstance(item, ast.AnnAssign)]
    return {f"{field.id.upper()}_PORT" for field in fields if isinstance(field, ast.Name)}


def names_in_compose(text: str) -> set[str]:
    """Return the names that compose takes from .env: interpolated ones, and keys of environments without a value."""
    empty_keys = re.findall(r"^ +([A-Z][A-Z0-9_]*):[ ]*$", text, flags=re.MULTILINE)
    return set(_COMPOSE.findall(text)) | set(empty_keys)


def names_read(root: Path) -> dict[str, str]:
    """Return each variable that a part of the product reads, with the first file that reads it."""
    found: dict[str, str] = {}
    for path in _python_files(root):
        _note(found, names_in_python(path.read_text()), path.relative_to(root))
    config = root / "devstack" / "config.py"
    _note(found, names_of_ports(config.read_text()), config.relative_to(root))
    _note(found, names_in_compose((root / COMPOSE_FILE).read_text()), Path(COMPOSE_FILE))
    return {name: place for name, place in found.items() if name not in NOT_CONFIGURATION}


def _python_files(root: Path) -> list[Path]:
    files = [path for folder in CODE_FOLDERS for path in sorted((root / folder).rglob("*.py"))]
    return [path for path in files if path.name not in NOT_FOR_INSTALLATIONS and "standins" not in path.parts]


def _note(found: dict[str, str], names: set[str], place: Path) -> None:
    for name in sorted(names):
        found.setdefault(name, place.as_posix())


def names_described(text: str) -> list[str]:
    """Return the variables of .env.example in its order, those in remarks included."""
    return [match[1] for line in text.splitlines() if (match := _DESCRIBED.match(line))]


def problems(root: Path) -> list[str]:
    """Compare what is read with what is described, both ways."""
    read = names_read(root)
    described = names_described((root / EXAMPLE_FILE).read_text())
    twice = {name for name in described if described.count(name) > 1}
    return [
        *(
            f"{EXAMPLE_FILE}: {name} is not described, but {read[name]} reads it."
            for name in sorted({*read} - {*described})
        ),
        *(f"{EXAMPLE_FILE}: nothing reads {name}." for name in sorted({*described} - {*read})),
        *(f"{EXAMPLE_FILE}: {name} is described more than once." for name in sorted(twice)),
    ]
