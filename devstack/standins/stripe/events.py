"""The list of what has happened."""

from devstack.standins.stripe.errors import Json
from devstack.standins.stripe.lists import list_objects
from devstack.standins.stripe.world import World


def get_event(world: World, _params: Json, object_id: str) -> Json:
    """Return an event."""
    return world.store.get("event", object_id)


def list_events(world: World, params: Json) -> Json:
    """List events, newest first, of one type or of several."""
    listed = list_objects(world, "event", params, url="/v1/events", filters=("type",))
    types = params.get("types")
    if isinstance(types, list):
        listed["data"] = [event for event in listed["data"] if event["type"] in types]
    return listed
