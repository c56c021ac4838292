"""What the backend may say to a form of the account; the rest of its errors is the shell's to answer."""

from typing import Final

from apps.backend.errors import BackendUnavailable, Conflict, Invalid, NotFound, RateLimited

REFUSALS: Final = (Invalid, Conflict, NotFound, RateLimited, BackendUnavailable)
