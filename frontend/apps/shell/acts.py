"""An act that is confirmed first: what it means, what it asks for, and a button that says what it does.

A dialog for HTMX, a page for browsers without scripts. A refusal stands in the same form, with nothing lost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from django import forms
from django.http import HttpRequest, HttpResponse

from apps.backend.errors import BackendError, BackendUnavailable, Conflict, Forbidden, Invalid, NotFound, RateLimited
from apps.shell.pages import answer, read_key
from apps.shell.refusals import NO_RENAMES, key_after, status_of, take_refusal

# What a form can say. Anything else (a missing proof of identity or second factor) has a page of its own.
_SAYABLE: Final = frozenset({Invalid, Conflict, NotFound, Forbidden, RateLimited, BackendUnavailable})
Do = Callable[[str], HttpResponse]
F = TypeVar("F", bound=forms.Form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """`title` names the thing, `lines` say what follows, `label` is the word on the button that does it."""

    title: str
    label: str
    back_path: str
    text: str = ""
    lines: tuple[str, ...] = ()
    kind: str = "danger"
    keep_label: str = "Cancel"


class Confirmation(forms.Form):
    """Asks for nothing but the press of the button."""


class ReasonForm(forms.Form):
    """Why somebody acts on another's account; it is kept with the act."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Kept in the audit.",
    )


def bound(request: HttpRequest, kind: type[F], **initial: object) -> F:
    """A form of `kind` with what was posted, or with `initial` while nothing was."""
    return kind(request.POST if request.method == "POST" else None, initial=initial)


def run_act(
    request: HttpRequest, act: Act, form: forms.Form, do: Do, *, renames: Mapping[str, str] = NO_RENAMES
) -> HttpResponse:
    """Show the act, or on a valid POST call `do` with the form's idempotency key and return its answer.

    `renames`: the backend's names of fields -> the form's.
    """
    key = read_key(request)
    status = 400 if request.method == "POST" else 200
    if request.method == "POST" and form.is_valid():
        try:
            return do(key)
        except BackendError as error:
            if type(error) not in _SAYABLE:
                raise
            take_refusal(form, error, renames=renames)
            key, status = key_after(error, key=key), status_of(error)
    context = {"act": act, "form": form, "key": key}
    return answer(request, page="shell/act.html", fragment="shell/act_modal.html", context=context, status=status)
