"""The e-mail address: proving that it is the person's, and changing it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts import services
from apps.accounts.forms.passwords import EmailForm
from apps.accounts.refusals import REFUSALS
from apps.backend.errors import Invalid
from apps.shell.client import get_anonymous_client, get_backend_client
from apps.shell.refusals import take_refusal
from apps.shell.requests import page_path_of


@require_http_methods(["GET", "HEAD", "POST"])
@login_not_required
def verify(request: HttpRequest, key: str) -> HttpResponse:
    """Looking says what will happen, the button does it: programs that follow every link of a mail change nothing."""
    if request.method != "POST":
        return TemplateResponse(request, "account/email_verify.html", {"key": key})
    try:
        verified = get_anonymous_client(request).auth.verify_email(key=key)
    except Invalid:
        return TemplateResponse(request, "account/email_link_dead.html", status=400)
    if not request.user.is_authenticated:
        messages.success(request, f"{verified.email} is confirmed. Sign in to go on.")
        return redirect("account_login")
    me = get_backend_client(request).me.get()
    services.mirror_profile(user=request.user, me=me, now=timezone.now())
    messages.success(request, f"{verified.email} is confirmed.")
    return redirect("accounts:profile")


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest) -> HttpResponse:
    """Begin a change, which counts once the new address confirms it."""
    client = get_backend_client(request)
    form = EmailForm(request.POST or None)
    if form.is_valid():
        try:
            client.auth.change_email(email=form.cleaned_data["email"])
        except REFUSALS as error:
            take_refusal(form, error)
        else:
            return redirect("account_email")
    return TemplateResponse(request, "account/email_change.html", {"form": form, "me": client.me.get()})


@require_POST
def drop_change(request: HttpRequest) -> HttpResponse:
    """The address stays as it is."""
    get_backend_client(request).auth.drop_email_change()
    messages.success(request, "Your address stays as it is.")
    return redirect("accounts:profile")


@require_POST
def resend(request: HttpRequest) -> HttpResponse:
    """Another mail with a link that proves the address."""
    get_backend_client(request).auth.resend_verification()
    messages.success(request, "A mail with a new link is on its way.")
    return redirect(page_path_of(request))
