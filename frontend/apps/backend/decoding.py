"""From the backend's JSON to frozen dataclasses, by their annotations. Unknown fields are ignored: the API may grow."""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

T = TypeVar("T")
Decoder = Callable[[Any], Any]


class UnexpectedShape(Exception):
    """The JSON is not what the contract promises. The message names the path to the place."""


def decode(kind: type[T], value: object) -> T:
    """Build `kind` from parsed JSON; raises UnexpectedShape."""
    return cast("T", _decoder(cast("Any", kind))(value))


@cache
def _decoder(kind: Any) -> Decoder:
    if is_dataclass(kind):
        return _dataclass_decoder(cast("type[Any]", kind))
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _optional_decoder(kind)
    if origin is tuple:
        return _tuple_decoder(get_args(kind)[0])
    if origin in (dict, Mapping):
        return _plain(dict)
    return _SCALARS[kind]


def _dataclass_decoder(kind: type[Any]) -> Decoder:
    hints = get_type_hints(kind)
    plan = [
        (field.name, _decoder(hints[field.name]), field.default is MISSING and field.default_factory is MISSING)
        for field in fields(kind)
    ]

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise UnexpectedShape(f"{kind.__name__}: an object was expected")
        found: dict[str, Any] = {}
        for name, decoder, is_required in plan:
            if name not in value:
                if is_required:
                    raise UnexpectedShape(f"{kind.__name__}.{name} is missing")
                continue
            try:
                found[name] = decoder(value[name])
            except UnexpectedShape as error:
                raise UnexpectedShape(f"{kind.__name__}.{name}: {error}") from error
        return kind(**found)

    return read


def _optional_decoder(kind: Any) -> Decoder:
    inner = _decoder(next(arg for arg in get_args(kind) if arg is not types.NoneType))
    return lambda value: None if value is None else inner(value)


def _tuple_decoder(item: Any) -> Decoder:
    inner = _decoder(item)

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise UnexpectedShape("a list was expected")
        return tuple(inner(part) for part in value)

    return read


def _plain(kind: type) -> Decoder:
    def read(value: Any) -> Any:
        # bool is an int in Python; in JSON they are different things.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise UnexpectedShape(f"{kind.__name__} was expected")
        return value

    return read


def _parsed(parse: Callable[[str], Any], name: str) -> Decoder:
    def read(value: Any) -> Any:
        try:
            return parse(value)
        except (ValueError, TypeError, AttributeError, InvalidOperation) as error:
            raise UnexpectedShape(f"{name} was expected") from error

    return read


def _instant(value: str) -> datetime:
    parsed = datetime.fromisoformat(value)
    if parsed.tzinfo is None:
        raise ValueError("an instant needs its offset")
    return parsed


_SCALARS: dict[Any, Decoder] = {
    str: _plain(str),
    int: _plain(int),
    bool: _plain(bool),
    UUID: _parsed(UUID, "a UUID"),
    date: _parsed(date.fromisoformat, "a day"),
    datetime: _parsed(_instant, "an instant"),
    Decimal: _parsed(Decimal, "a decimal"),
}
