"""What happens to every request: its id, the sign-in wall, and the answers to a backend that refuses or is away."""

import re
import uuid
from collections.abc import Callable
from typing import Final

import structlog
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.http import urlencode

from apps.backend.errors import BackendError, NotAuthenticated, ReauthenticationRequired
from apps.shell import held_forms
from apps.shell.failures import answer_failure
from apps.shell.pages import lead_to
from apps.shell.requests import page_path_of

log = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]
SESSION_ENDED: Final = "This session was ended. Sign in to go on; what you had typed is kept in this tab."
_ACCEPTABLE_ID: Final = re.compile(r"[A-Za-z0-9_.-]{8,64}")


class RequestIdMiddleware:
    """Takes a sane X-Request-ID or mints one; logs, backend calls and the answer all carry it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        offered = request.headers.get("X-Request-ID", "")
        request_id = offered if _ACCEPTABLE_ID.fullmatch(offered) else str(uuid.uuid4())
        request.request_id = request_id  # type: ignore[attr-defined]
        # django-structlog reads the header, so it must never see an unchecked one.
        request.META["HTTP_X_REQUEST_ID"] = request_id
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class PrivatePagesMiddleware:
    """Pages belong to one person: nothing between server and browser may keep them, nor the browser after log-out.

    Many addresses answer HTMX with a fragment and others with a page, so each answer says that it varies.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.setdefault("Cache-Control", "private, no-store")
        patch_vary_headers(response, ["HX-Request"])
        return response


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Everything needs a sign-in but views marked `login_not_required`; HTMX is sent there as a whole page."""

    def handle_no_permission(  # type: ignore[override]  # HTMX is not redirected by status 302
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponse:
        return send_to_sign_in(request)


class BackendErrorsMiddleware:
    """Answers the backend errors that a view let fly: a dead token leads to sign-in, the rest to a page in style."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, NotAuthenticated):
            # The session goes with its token, so that the sign-in page finds nobody signed in: one redirect, no loop.
            logout(request)
            messages.warning(request, SESSION_ENDED)
            return send_to_sign_in(request)
        if isinstance(exception, ReauthenticationRequired):
            return send_to_reauthentication(request)
        if isinstance(exception, BackendError):
            log.info("backend_refused", kind=type(exception).__name__, code=exception.code)
            return answer_failure(request, exception)
        return None


def send_to_sign_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in page and back here afterwards."""
    return lead_to(request, redirect_to_login(page_path_of(request), resolve_url("account_login")).url)


def send_to_reauthentication(request: HttpRequest) -> HttpResponse:
    """To the page that asks for the password once more, and back here afterwards; what was posted waits there."""
    query = {REDIRECT_FIELD_NAME: page_path_of(request)}
    if held := held_forms.hold_form(request, now=timezone.now()):
        query[held_forms.FIELD] = held
    return lead_to(request, f"{resolve_url('account_reauthenticate')}?{urlencode(query)}")
