"""What a caller is answered, in one word of the matrices."""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from tests.access.requests import PAGE

SIGN_IN: Final = "/accounts/login/"
PROVE: Final = "/accounts/reauthenticate/"


def word_for(response: Any, *, operation: str, address: str, is_htmx: bool) -> str:
    """The status, or where a redirect leads.

    `sign-in` and `prove` lead back afterwards, to where the request came from; `lost` would be without a way back.
    `enter` leads to the sign-in page on purpose and for good, `on` to another page. For HTMX all of them by
    HX-Redirect: a redirect that HTMX would follow by itself, and put a whole page into a part of one, is `follow`.
    """
    location = response.headers.get("HX-Redirect" if is_htmx else "Location", "")
    if not location:
        is_followed = is_htmx and response.status_code == HTTPStatus.FOUND
        return "follow" if is_followed else str(response.status_code)
    back = address if operation.startswith("GET") and not is_htmx else PAGE
    path, _, query = location.partition("?")
    if path == SIGN_IN:
        return {f"next={quote(back)}": "sign-in", "": "enter"}.get(query, "lost")
    if path == PROVE:
        return "prove" if query.startswith(f"next={quote(back, safe='')}") else "lost"
    return "on"
