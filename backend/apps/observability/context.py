"""The request that the present work belongs to, so that every row and log line can name it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from apps.observability.types import Origin

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_address: ContextVar[str | None] = ContextVar("address", default=None)
_user_agent: ContextVar[str] = ContextVar("user_agent", default="")
# Whatever no edge has claimed was started by hand, from a shell.
_origin: ContextVar[Origin] = ContextVar("origin", default=Origin.COMMAND)

MAX_USER_AGENT_LENGTH: Final = 400


def current_request_id() -> str:
    """The id of the request that started this work, or an empty string."""
    return _request_id.get()


def current_address() -> str | None:
    """The true client's network address (`apps.observability.visitors`), when a request is under way."""
    return _address.get()


def current_user_agent() -> str:
    """How the client's program calls itself, or an empty string. Anybody can write anything there."""
    return _user_agent.get()


def bind_user_agent(text: str) -> None:
    """Keeps how the client calls itself, cut to a length that fits a row."""
    _user_agent.set("".join(filter(str.isprintable, text))[:MAX_USER_AGENT_LENGTH])


def bind_request(*, request_id: str, address: str | None) -> None:
    """Marks everything that follows in this context as done for the given request."""
    _request_id.set(request_id)
    _address.set(address)


def clear_request() -> None:
    _request_id.set("")
    _address.set(None)
    _user_agent.set("")


def current_origin() -> Origin:
    """The edge that this work came in by."""
    return _origin.get()


@contextmanager
def bind_origin(origin: Origin) -> Iterator[None]:
    """Everything within the block came in by this edge."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)
