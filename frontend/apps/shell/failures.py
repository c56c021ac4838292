"""How a failed call looks: a page in the shell, or for HTMX a toast beside the page that stays as it is."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django_htmx.http import reswap

from apps.backend.errors import (
    BackendError,
    BackendUnavailable,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PaymentRequired,
    RateLimited,
    SecondFactorRequired,
)
from apps.shell.requests import is_htmx, request_id_of
from apps.shell.toasts import add_toast


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePage:
    """`is_passing`: the page looks by itself whether the trouble is over. `action_path` leads to what helps."""

    status: int
    icon: str
    title: str
    text: str
    is_passing: bool = False
    action_label: str = "To the start"
    action_path: str = "/"


NOT_FOUND = FailurePage(
    status=404, icon="map-search", title="There is nothing here", text="The address is wrong, or the thing is gone."
)
FORBIDDEN = FailurePage(
    status=403, icon="lock", title="This is not open to you", text="Your role does not include this page."
)
SECOND_FACTOR = FailurePage(
    status=403,
    icon="shield-lock",
    title="This asks for a second factor",
    text="Staff pages, and changes of a second factor, open in a session that has one. Set up an authenticator app or "
    "a security key; if you have one already, sign out and in again with it.",
    action_label="To your security page",
    action_path="/profile/security/",
)
CSRF = FailurePage(
    status=403,
    icon="refresh",
    title="This form has expired",
    text="It was open for too long, or you signed in or out in another tab. Go back, reload and send it again.",
)
UNAVAILABLE = FailurePage(
    status=503,
    icon="plug-connected-x",
    title="The backend is taking a break",
    text="Your entries and your reserve are safe. This page comes back by itself as soon as there is an answer.",
    is_passing=True,
)
_PAGES: dict[type[BackendError], FailurePage] = {
    NotFound: NOT_FOUND,
    Forbidden: FORBIDDEN,
    SecondFactorRequired: SECOND_FACTOR,
    BackendUnavailable: UNAVAILABLE,
    Conflict: FailurePage(status=409, icon="arrows-split", title="That no longer fits", text=""),
    PaymentRequired: FailurePage(status=402, icon="wallet", title="The reserve does not cover this", text=""),
    Invalid: FailurePage(status=400, icon="alert-circle", title="That cannot be done", text=""),
    RateLimited: FailurePage(status=429, icon="clock-pause", title="One moment, please", text=""),
}


def answer_failure(request: HttpRequest, error: BackendError) -> HttpResponse:
    """The answer to a call that failed and that the view could not answer itself."""
    page = _PAGES[type(error)]
    if is_htmx(request):
        response = HttpResponse(status=page.status)
        add_toast(response, _sentence_of(error) or page.title, level="danger", link_url=_way_out(page))
        reswap(response, "none")
    else:
        response = failure_response(request, page, detail=_sentence_of(error), request_id=error.request_id)
    if isinstance(error, RateLimited):
        response["Retry-After"] = str(error.retry_after)
    if page.is_passing:
        response["Retry-After"] = "10"
    return response


def failure_response(
    request: HttpRequest, page: FailurePage, *, detail: str = "", request_id: str = ""
) -> HttpResponse:
    """The page, inside the shell for the signed-in and bare for others."""
    context = {
        "failure": page,
        "detail": detail if not page.text else "",
        "failed_request_id": request_id or request_id_of(request),
        "may_reload": page.is_passing and request.method == "GET",
        "base": "base_shell.html" if _is_signed_in(request) else "base_bare.html",
    }
    return HttpResponse(render_to_string("shell/failure.html", context, request=request), status=page.status)


def _way_out(page: FailurePage) -> str:
    """A toast stays beside a page that is fine: only a page with help of its own has something to lead to."""
    return page.action_path if page.action_path != "/" else ""


def _sentence_of(error: BackendError) -> str:
    """What went wrong. "The marked fields" say nothing where no form is in sight: what is wrong with them does."""
    if isinstance(error, Invalid) and error.fields:
        return " ".join(sentence for sentences in error.fields.values() for sentence in sentences)
    return error.message


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return bool(user is not None and user.is_authenticated)
