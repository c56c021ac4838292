"""Lists of the API: a page of what there is, and the address of the next one; and the one thing that is asked for."""

import re

from tests.fakes.server import Received
from tests.fakes.shapes import Json


def page_of(items: list[Json], received: Received | None = None) -> Json:
    """The page that the call's cursor and page_size ask for."""
    query = received.query if received else {}
    start, size = int(query.get("cursor", "0")), int(query.get("page_size", "25"))
    address = f"http://backend.test{received.path if received else '/'}"
    after = f"{address}?cursor={start + size}" if start + size < len(items) else None
    return {"next": after, "previous": f"{address}?cursor=0" if start else None, "results": items[start : start + size]}


def find(items: list[Json], match: re.Match[str]) -> Json | None:
    """The one that the address names."""
    return next((item for item in items if item["id"] == match["id"]), None)
