"""The six kinds of expected failure. Apps declare their own beside the service that raises them.

A kind says what the caller can do about it; `code` is stable and part of the API; the message is a sentence for people.
Only the API's handler turns a kind into a status.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class DomainError(Exception):
    """An expected failure. It is answered, not logged as a crash."""

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "The request could not be carried out."

    def __init__(self, message: str | None = None, *, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        self.text = message or self.message
        self.fields: dict[str, list[str]] = {name: list(texts) for name, texts in (fields or {}).items()}
        super().__init__(self.text)


class Invalid(DomainError):
    """The input breaks a rule; `fields` says which value and why."""

    code = "invalid"
    message = "Please correct the marked fields."


class NotFound(DomainError):
    """Absent, or another tenant's: the two are never told apart."""

    code = "not_found"
    message = "Nothing was found here."


class Forbidden(DomainError):
    """Known and visible, but not for this role."""

    code = "forbidden"
    message = "You are not allowed to do this."


class Conflict(DomainError):
    """The thing is in a state that does not allow this, or somebody was faster."""

    code = "conflict"
    message = "This is no longer possible as things stand."


class PaymentRequired(DomainError):
    """Money is missing."""

    code = "payment_required"
    message = "Your reserve does not cover this."


class RateLimited(DomainError):
    """Too often; try again after `retry_after` seconds."""

    code = "rate_limited"
    message = "Too many attempts. Please wait a moment."

    def __init__(self, message: str | None = None, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """Something we need is away; the same request may work later."""

    code = "unavailable"
    message = "This is not available right now. Please try again in a moment."
