"""What a call to the backend can fail with. Views catch the kinds they can answer; the shell answers the rest."""

from collections.abc import Mapping
from typing import Any, Final

NO_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {}


class BackendError(Exception):
    """A call that did not succeed. `message` is a sentence for people, `code` is stable, `request_id` finds the log."""

    def __init__(self, message: str, *, code: str, request_id: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.request_id = request_id


class BackendUnavailable(BackendError):
    """No answer within the deadline, an answer that makes no sense, or 5xx. Nothing is known of what was done."""


class NotAuthenticated(BackendError):
    """401: there is no token, or it is dead."""


class Forbidden(BackendError):
    """403: this person may not."""


class ReauthenticationRequired(Forbidden):
    """403 `reauthentication_required`: the last proof of identity is too old for this. The shell asks for another."""


class SecondFactorRequired(Forbidden):
    """403 `second_factor_required`: at sign-in with the challenge to answer, on staff endpoints without."""

    def __init__(
        self, message: str, *, code: str, request_id: str = "", challenge: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message, code=code, request_id=request_id)
        self.challenge = challenge


class NotFound(BackendError):
    """404: absent, or another tenant's."""


class Conflict(BackendError):
    """409: the thing is in another state or version than the call supposed."""


class PaymentRequired(BackendError):
    """402: the reserve does not cover it."""


class Invalid(BackendError):
    """400: the input was refused. `fields` has the sentences for each field that caused it."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        request_id: str = "",
        fields: Mapping[str, tuple[str, ...]] = NO_FIELDS,
    ) -> None:
        super().__init__(message, code=code, request_id=request_id)
        self.fields = fields


class RateLimited(BackendError):
    """429: too many calls. `retry_after` is in seconds."""

    def __init__(self, message: str, *, code: str, request_id: str = "", retry_after: int) -> None:
        super().__init__(message, code=code, request_id=request_id)
        self.retry_after = retry_after
