"""The way in by invite passkey. Sign-in and sign-out are allauth's views."""

from allauth.account.internal import flows
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.forms.sign_in import TROUBLE, SignUpForm
from apps.accounts.sign_in import keep_token, obtain_token, recognise
from apps.backend.errors import BackendError, BackendUnavailable, Conflict, Invalid, RateLimited
from apps.shell.client import get_anonymous_client


@require_safe
@login_not_required
def sign_up_redirect(_request: HttpRequest) -> HttpResponseRedirect:
    """allauth's address of the sign-up leads to ours."""
    return HttpResponseRedirect(resolve_url("accounts:sign-up"))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password", "passkey")
@login_not_required
def sign_up(request: HttpRequest) -> HttpResponse:
    """Redeem an invite passkey for an account, then sign its owner in."""
    if request.user.is_authenticated:
        return redirect("dashboard:home")
    form = SignUpForm(request.POST or None)
    if form.is_valid() and _was_signed_up(request, form):
        return _sign_in_newcomer(request, form)
    return TemplateResponse(request, "accounts/sign_up.html", {"form": form})


def _was_signed_up(request: HttpRequest, form: SignUpForm) -> bool:
    try:
        get_anonymous_client(request).auth.sign_up(**form.cleaned_data)
    except Invalid as error:
        form.take_refusal(error)
    except (RateLimited, Conflict) as error:
        form.add_error(None, error.message)
    except BackendUnavailable:
        form.add_error(None, TROUBLE)
    return not form.errors


def _sign_in_newcomer(request: HttpRequest, form: SignUpForm) -> HttpResponse:
    """The account exists from here on: if the sign-in fails, the sign-in page takes over."""
    try:
        issued = obtain_token(request, username=form.cleaned_data["username"], password=form.cleaned_data["password"])
    except BackendError:
        messages.success(request, "Your account is made. Sign in to begin.")
        return redirect("account_login")
    user = recognise(request, issued)
    response: HttpResponse = flows.login.perform_login(request, Login(user=user, email=None))
    keep_token(request, user=user, issued=issued)
    messages.success(request, f"Welcome, {user.shown_name}. Your worklog is ready.")
    return response
