"""Stripe's way to put nested values into a form: `a[b]=1`, `items[0][price]=x`, `tags[]=y`."""

import re
from typing import Any
from urllib.parse import parse_qsl

from devstack.standins.stripe.errors import Json, StripeError

NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
PART = re.compile(r"\[([^\[\]]*)\]")


def parse(text: str) -> Json:
    """Return the nested value of a form or a query; raises StripeError for a name that makes no sense."""
    root: Json = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        match = NAME.fullmatch(name)
        if match is None:
            raise StripeError(f"Invalid parameter name: {name}", param=name)
        _put(root, [match[1], *PART.findall(match[2])], value)
    return {name: _listed(value) for name, value in root.items()}


def _put(target: Json, path: list[str], value: str) -> None:
    for part in path[:-1]:
        target = target.setdefault(part or str(len(target)), {})
        if not isinstance(target, dict):
            raise StripeError("Invalid nesting of parameters.")
    target[path[-1] or str(len(target))] = value


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    children = {name: _listed(child) for name, child in value.items()}
    if children and all(name.isdigit() for name in children):
        return [children[name] for name in sorted(children, key=int)]
    return children
