"""Lists with cursors, filters on creation time, search, and the expansion of references."""

import re
from collections.abc import Callable
from typing import Any

from devstack.standins.stripe.errors import Json, StripeError
from devstack.standins.stripe.world import World, public

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
CLAUSE = re.compile(r"""(?:metadata\[["']([^"']+)["']\]|([a-z_.]+))\s*:\s*["']([^"']*)["']""")


def keep_all(_value: Json) -> bool:
    """Keep every object of a list."""
    return True


def list_objects(
    world: World,
    kind: str,
    params: Json,
    *,
    url: str,
    filters: tuple[str, ...] = (),
    keeps: Callable[[Json], bool] = keep_all,
) -> Json:
    """Return one page of a kind, newest first; `filters` are the parameters that must equal the field of that name.

    `keeps` is one more condition, for what no field says.
    """
    found = [
        value
        for value in world.store.list_kind(kind)
        if all(_field(value, name) == params[name] for name in filters if name in params)
        and _is_created_within(value["created"], params.get("created"))
        and keeps(value)
    ]
    return page(found, params, url=url)


def search_objects(world: World, kind: str, params: Json, *, url: str) -> Json:
    """Return the objects that fit a query of `field:'value'` and `metadata['name']:'value'`, joined by AND."""
    query = str(params.get("query", ""))
    clauses = CLAUSE.findall(query)
    if not clauses or CLAUSE.sub("", query).replace("AND", "").strip():
        raise StripeError("We could not parse your search query.", param="query")
    found = [
        value
        for value in world.store.list_kind(kind)
        if all(
            (value.get("metadata", {}).get(key) if key else _field(value, name)) == wanted
            for key, name, wanted in clauses
        )
    ]
    data = [public(value) for value in found[: _limit(params)]]
    return {
        "object": "search_result",
        "data": data,
        "has_more": len(found) > len(data),
        "next_page": None,
        "url": url,
    }


def page(found: list[Json], params: Json, *, url: str) -> Json:
    """Cut one page out of objects that are sorted newest first."""
    ids = [value["id"] for value in found]
    limit = _limit(params)
    start, end = 0, None
    if params.get("starting_after") in ids:
        start = ids.index(params["starting_after"]) + 1
    if params.get("ending_before") in ids:
        end = ids.index(params["ending_before"])
        start = max(0, end - limit)
    window = found[start:end]
    has_more = start > 0 if end is not None else len(window) > limit
    return {"object": "list", "data": [public(value) for value in window[:limit]], "has_more": has_more, "url": url}


def expand(world: World, value: Json, params: Json) -> Json:
    """Put objects in place of the ids that `expand[]` names."""
    names = params.get("expand", [])
    for name in names if isinstance(names, list) else []:
        _expand_path(world, value, str(name).split("."))
    return value


def _expand_path(world: World, value: Any, path: list[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _expand_path(world, item, path)
    if not path or not isinstance(value, dict):
        return
    if value.get("object") == "checkout.session" and path[0] == "line_items":
        value["line_items"] = page(world.store.get("checkout.session", value["id"])["_items"], {}, url="")
    if path[0] not in value:
        return
    found = world.store.find(value[path[0]]) if isinstance(value[path[0]], str) else None
    if found is not None:
        value[path[0]] = public(found)
    _expand_path(world, value[path[0]], path[1:])


def _limit(params: Json) -> int:
    text = str(params.get("limit", DEFAULT_LIMIT))
    if not text.isdigit() or not 1 <= int(text) <= MAX_LIMIT:
        raise StripeError(f"limit must be from 1 to {MAX_LIMIT}.", param="limit")
    return int(text)


def _field(value: Json, name: str) -> object:
    found: Any = value
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _is_created_within(created: int, bounds: object) -> bool:
    if isinstance(bounds, str):
        return created == int(bounds)
    if not isinstance(bounds, dict):
        return True
    tests = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
    return all(tests[name](created, int(bound)) for name, bound in bounds.items() if name in tests)
