"""The request that the present work belongs to, so that every row and log line can name it."""

from contextvars import ContextVar
from typing import Final

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_address: ContextVar[str | None] = ContextVar("address", default=None)
_user_agent: ContextVar[str] = ContextVar("user_agent", default="")

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
