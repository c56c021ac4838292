"""A new password: by a link from a mail, or by knowing the present one."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import once
from apps.accounts.forms.passwords import ChangePasswordForm, NewPasswordForm, ResetRequestForm
from apps.accounts.refusals import REFUSALS
from apps.backend.errors import Invalid
from apps.shell.client import get_anonymous_client, get_backend_client
from apps.shell.refusals import take_refusal

_DEAD_LINK = "reset_link_invalid"


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def request_reset(request: HttpRequest) -> HttpResponse:
    """Ask for a link. What follows is the same whether there is such an account or not."""
    form = ResetRequestForm(request.POST or None)
    if form.is_valid():
        try:
            get_anonymous_client(request).auth.request_password_reset(email=form.cleaned_data["email"])
        except REFUSALS as error:
            take_refusal(form, error)
        else:
            return redirect("account_reset_password_sent")
    return TemplateResponse(request, "account/password_reset.html", {"form": form})


@require_safe
@login_not_required
def reset_sent(request: HttpRequest) -> HttpResponse:
    return TemplateResponse(request, "account/password_reset_sent.html")


@require_safe
@login_not_required
def follow_reset_link(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Take the secret out of the address before any page is shown, so that no Referer and no history tells it."""
    once.keep(request, once.RESET_LINK, {"uid": uid, "token": token})
    return redirect("account_reset_password_choose")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@login_not_required
def choose_password(request: HttpRequest) -> HttpResponse:
    """The new password, by the link that this session has followed."""
    link = once.peek(request, once.RESET_LINK)
    form = NewPasswordForm(request.POST or None)
    if link is None:
        return _dead_link(request)
    if form.is_valid():
        try:
            get_anonymous_client(request).auth.reset_password(**link, password=form.cleaned_data["password"])
        except REFUSALS as error:
            if error.code == _DEAD_LINK:
                return _dead_link(request)
            take_refusal(form, error, renames={"new_password": "password"})
        else:
            return _is_reset(request)
    return TemplateResponse(request, "account/password_choose.html", {"form": form})


def _is_reset(request: HttpRequest) -> HttpResponse:
    """Every token of the person has ended, also one that this browser may hold."""
    logout(request)
    messages.success(request, "Your new password is set, and you are signed out everywhere. Sign in with it.")
    return redirect("account_login")


def _dead_link(request: HttpRequest) -> HttpResponse:
    once.take(request, once.RESET_LINK)
    return TemplateResponse(request, "account/password_link_dead.html", status=400)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("current_password", "new_password")
def change_password(request: HttpRequest) -> HttpResponse:
    """The present password and a new one; every other session ends."""
    form = ChangePasswordForm(request.POST or None)
    if form.is_valid():
        try:
            get_backend_client(request).auth.change_password(**form.cleaned_data)
        except REFUSALS as error:
            if isinstance(error, Invalid) and error.code == "bad_credentials" and not error.fields:
                form.add_error("current_password", error.message)
            else:
                take_refusal(form, error)
        else:
            request.session.cycle_key()
            messages.success(request, "Your password is changed. Everywhere else you are signed out.")
            return redirect("accounts:security")
    return TemplateResponse(request, "account/password_change.html", {"form": form})
