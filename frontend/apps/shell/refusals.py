"""A form that the backend refused: what it says beside which field, and the status of the page that shows it."""

from collections.abc import Iterator, Mapping
from typing import Final

from django import forms

from apps.backend.errors import (
    BackendError,
    BackendUnavailable,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PaymentRequired,
    RateLimited,
    ReauthenticationRequired,
    SecondFactorRequired,
)
from apps.shell.pages import mint_key

NO_RENAMES: Final[Mapping[str, str]] = {}
NOT_REACHED: Final = (
    "AfterResume cannot be reached at the moment. What you typed is kept here; send it again shortly, "
    "it is never saved twice."
)
SAVED_ALREADY: Final = (
    "An earlier try of this form was saved after all, and what you have typed since differs from it. "
    "Look whether that is enough; send again to save this as well."
)
_MISMATCH: Final = "idempotency_mismatch"
_STATUSES: Final[Mapping[type[BackendError], int]] = {
    Invalid: 400,
    PaymentRequired: 402,
    Forbidden: 403,
    ReauthenticationRequired: 403,
    SecondFactorRequired: 403,
    NotFound: 404,
    Conflict: 409,
    RateLimited: 429,
    BackendUnavailable: 503,
}


def status_of(error: BackendError) -> int:
    return _STATUSES[type(error)]


def sentence_of(error: BackendError) -> str:
    """What a person is told; the technical side is in the log under the request's id."""
    if isinstance(error, BackendUnavailable):
        return NOT_REACHED
    return SAVED_ALREADY if error.code == _MISMATCH else error.message


def take_refusal(form: forms.Form, error: BackendError, *, renames: Mapping[str, str] = NO_RENAMES) -> None:
    """Put the backend's sentences beside the fields that they are about. `renames`: its names -> the form's.

    A proof of identity that is too old is no matter of the form: it flies on, and the shell asks for a new one.
    """
    if isinstance(error, ReauthenticationRequired):
        raise error
    refused = list(_sentences(error))
    for name, sentences in refused:
        own = renames.get(name, name)
        form.add_error(own if own in form.fields else None, list(sentences))
    if not refused:
        form.add_error(None, sentence_of(error))


def key_after(error: BackendError, *, key: str) -> str:
    """The key for the next try: the same while nobody knows what became of this one, a new one after an answer."""
    return key if isinstance(error, BackendUnavailable) else mint_key()


def _sentences(error: BackendError) -> Iterator[tuple[str, tuple[str, ...]]]:
    if isinstance(error, Invalid):
        yield from error.fields.items()
