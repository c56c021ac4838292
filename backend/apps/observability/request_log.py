"""What each line of the log says about the request besides its id."""

from typing import Any

import structlog

from apps.observability.context import current_address


def bind_true_address(**_: Any) -> None:
    """The address that limits and audit go by. django-structlog's own guess believes whatever header a client sends."""
    structlog.contextvars.bind_contextvars(ip=current_address())
