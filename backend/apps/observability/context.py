"""The request that the present work belongs to, so that every row and log line can name it."""

from contextvars import ContextVar

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_address: ContextVar[str | None] = ContextVar("address", default=None)


def current_request_id() -> str:
    """The id of the request that started this work, or an empty string."""
    return _request_id.get()


def current_address() -> str | None:
    """The client's network address, when a request is under way."""
    return _address.get()


def bind_request(*, request_id: str, address: str | None) -> None:
    """Marks everything that follows in this context as done for the given request."""
    _request_id.set(request_id)
    _address.set(address)


def clear_request() -> None:
    _request_id.set("")
    _address.set(None)
