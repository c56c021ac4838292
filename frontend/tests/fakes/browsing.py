"""What HTMX sends and what it is told, for tests of pages."""

import json
from typing import Any, Final

HTMX: Final = {"HX-Request": "true"}


def triggers_of(response: Any) -> dict[str, Any]:
    """The events that an answer fires in the page, with their details."""
    found: dict[str, Any] = json.loads(response.headers.get("HX-Trigger", "{}"))
    return found
