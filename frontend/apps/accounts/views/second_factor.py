"""The second step of a sign-in, for those who have a second factor."""

import json
from typing import Any

from allauth.account.internal import flows
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts import pending_sign_in
from apps.accounts.forms.sign_in import TROUBLE, SecondFactorForm
from apps.accounts.pending_sign_in import PendingSignIn
from apps.accounts.sign_in import TOKEN_NAME, keep_token, recognise
from apps.backend.auth import IssuedToken
from apps.backend.errors import BackendUnavailable, Invalid, RateLimited
from apps.shell.client import get_anonymous_client

TOO_LATE = "That took longer than five minutes, or too many tries. Sign in once more to get another try."
_EXPIRED = "challenge_expired"


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code", "credential")
@login_not_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """Answer the challenge that a right password has led to, then be signed in."""
    if request.user.is_authenticated:
        return redirect("dashboard:home")
    pending = pending_sign_in.find(request, now=timezone.now())
    if pending is None:
        return redirect("account_login")
    if pending.is_too_old:
        return _begin_again(request, pending)
    form = SecondFactorForm(request.POST or None)
    if form.is_valid():
        try:
            return _complete(request, pending, _answer(request, pending, form.cleaned_data))
        except (Invalid, RateLimited, BackendUnavailable) as error:
            if error.code == _EXPIRED:
                return _begin_again(request, pending)
            form.add_error(
                "code" if form.cleaned_data["code"] else None,
                TROUBLE if isinstance(error, BackendUnavailable) else error.message,
            )
    return TemplateResponse(request, "account/second_factor.html", _context(pending, form))


def _answer(request: HttpRequest, pending: PendingSignIn, given: dict[str, Any]) -> IssuedToken:
    """A code that was typed counts before a security key that was touched: it is what the person sees."""
    return get_anonymous_client(request).auth.answer_challenge(
        challenge=pending.challenge.id,
        name=TOKEN_NAME,
        code=given["code"].replace(" ", ""),
        credential=None if given["code"] else given["credential"],
    )


def _complete(request: HttpRequest, pending: PendingSignIn, issued: IssuedToken) -> HttpResponse:
    pending_sign_in.end(request)
    user = recognise(request, issued)
    login = Login(user=user, email=None, redirect_url=pending.target)
    response: HttpResponse = flows.login.perform_login(request, login)
    keep_token(request, user=user, issued=issued)
    return response


def _begin_again(request: HttpRequest, pending: PendingSignIn) -> HttpResponse:
    pending_sign_in.end(request)
    messages.info(request, TOO_LATE)
    return redirect(f"{resolve_url('account_login')}?{urlencode({REDIRECT_FIELD_NAME: pending.target})}")


def _context(pending: PendingSignIn, form: SecondFactorForm) -> dict[str, Any]:
    """Only the options go to the browser; the challenge's id is the secret and stays here."""
    options = pending.challenge.webauthn if "webauthn" in pending.challenge.methods else None
    takes_codes = bool({"totp", "recovery"} & set(pending.challenge.methods))
    return {"form": form, "takes_codes": takes_codes, "options": json.dumps(options) if options else ""}
