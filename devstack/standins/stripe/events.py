"""The list of what has happened."""

from devstack.standins.stripe.errors import Json
from devstack.standins.stripe.lists import list_objects
from devstack.standins.stripe.world import World


def get_event(world: World, _params: Json, object_id: str) -> Json:
    """Return an event."""
    return world.store.get("event", object_id)


def list_events(world: World, params: Json) -> Json:
    """List events, newest first, of one type or of several."""
    return list_objects(world, "event", params, url="/v1/events", keeps=lambda event: _is_wanted(event["type"], params))


def _is_wanted(event_type: str, params: Json) -> bool:
    types = params.get("types")
    wanted = types if isinstance(types, list) else [params["type"]] if params.get("type") else []
    # A type may end in `*`, as in `charge.*`.
    return not wanted or any(
        event_type.startswith(one[:-1]) if one.endswith("*") else event_type == one for one in map(str, wanted)
    )
