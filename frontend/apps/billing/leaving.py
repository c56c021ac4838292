"""The way out to the payment provider's own pages, and to nowhere else."""

from typing import Final
from urllib.parse import urlsplit

import structlog
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django_htmx.http import HttpResponseClientRedirect

from apps.backend.errors import BackendError, BackendUnavailable
from apps.shell.refusals import sentence_of, take_refusal
from apps.shell.requests import is_htmx, request_id_of

log = structlog.get_logger(__name__)

# Refusals whose own sentence says more than that nobody was reached.
_TELLING: Final = frozenset({"payments_not_set_up", "payment_unavailable", "unknown_payment_page"})


def is_payment_page(url: str) -> bool:
    """Whether an address is one of those that PAYMENT_ORIGINS allows, which forms may be redirected to."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}" in settings.PAYMENT_ORIGINS


def leave_for(request: HttpRequest, url: str) -> HttpResponse:
    """To a page of the payment provider; raises BackendUnavailable for any other address."""
    if not is_payment_page(url):
        log.error("unknown_payment_page")
        raise BackendUnavailable(
            "The address of the payment page is not one that this site may lead to. Nothing was charged; please tell "
            "those who run it.",
            code="unknown_payment_page",
            request_id=request_id_of(request),
        )
    return HttpResponseClientRedirect(url) if is_htmx(request) else HttpResponseRedirect(url, status=303)


def say_why(error: BackendError) -> str:
    """Why a payment or a page of the provider could not be had."""
    return error.message if error.code in _TELLING else sentence_of(error)


def take_payment_refusal(form: forms.Form, error: BackendError, *, amount_field: str) -> None:
    """Like `take_refusal`, with the payment provider's troubles in their own words."""
    if error.code in _TELLING:
        form.add_error(None, error.message)
    else:
        take_refusal(form, error, renames={"amount_cents": amount_field})
