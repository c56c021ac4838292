"""Setting up and taking down second factors: the authenticator app and recovery codes. Security keys have `keys`."""

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import once
from apps.accounts.forms.profile import TotpCodeForm
from apps.accounts.refusals import REFUSALS
from apps.backend.errors import Conflict
from apps.shell.client import get_backend_client
from apps.shell.questions import Question, ask_first
from apps.shell.refusals import take_refusal


@require_POST
def begin_totp(request: HttpRequest) -> HttpResponse:
    """A new secret, which waits in the session until a code proves that the app has it."""
    secret = get_backend_client(request).second_factor.begin_totp()
    once.keep(request, once.TOTP_SECRET, {"secret": secret.secret, "uri": secret.uri})
    return redirect("accounts:totp")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code")
def set_up_totp(request: HttpRequest) -> HttpResponse:
    """Show the secret as a picture and as text, and take the first code."""
    secret = once.peek(request, once.TOTP_SECRET)
    if secret is None:
        return redirect("accounts:security")
    form = TotpCodeForm(request.POST or None)
    if form.is_valid():
        try:
            codes = get_backend_client(request).second_factor.confirm_totp(
                code=form.cleaned_data["code"].replace(" ", "")
            )
        except REFUSALS as error:
            take_refusal(form, error)
        else:
            once.take(request, once.TOTP_SECRET)
            return is_set_up(request, codes, "Your authenticator app is set up.")
    context = {"form": form, "secret": secret["secret"], "qr": _picture_of(secret["uri"])}
    return TemplateResponse(request, "accounts/totp.html", context)


def is_set_up(request: HttpRequest, codes: tuple[str, ...], sentence: str) -> HttpResponse:
    """After a new factor: the session can do more than before, so it gets a new key; codes, if any, are shown once."""
    request.session.cycle_key()
    messages.success(request, sentence)
    if not codes:
        return redirect("accounts:security")
    once.keep(request, once.RECOVERY_CODES, codes)
    return redirect("accounts:recovery-codes")


@require_http_methods(["GET", "HEAD", "POST"])
def remove_totp(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        question = Question(
            title="Remove the authenticator app?",
            text="Its codes stop working. Without another factor, the password alone opens your account.",
            label="Remove it",
            back_path=resolve_url("accounts:security"),
        )
        return ask_first(request, question)
    try:
        get_backend_client(request).second_factor.remove_totp()
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The authenticator app is removed.")
    return redirect("accounts:security")


@require_http_methods(["GET", "HEAD", "POST"])
def renew_recovery_codes(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        question = Question(
            title="Make new recovery codes?",
            text="The ones that you have kept stop working, and ten new ones are shown once.",
            label="Make new codes",
            back_path=resolve_url("accounts:security"),
            kind="primary",
            keep_label="Keep the old ones",
        )
        return ask_first(request, question)
    once.keep(request, once.RECOVERY_CODES, get_backend_client(request).second_factor.renew_recovery_codes())
    return redirect("accounts:recovery-codes")


@require_safe
def show_recovery_codes(request: HttpRequest) -> HttpResponse:
    """Once: who comes back later is told how to make new ones."""
    codes = once.take(request, once.RECOVERY_CODES) if request.method == "GET" else None
    return TemplateResponse(request, "accounts/recovery_codes.html", {"codes": codes})


def _picture_of(uri: str) -> SafeString:
    picture: str = segno.make(uri, error="m", micro=False).svg_inline(scale=5, border=3, light="#fff", omitsize=False)
    return mark_safe(picture)  # noqa: S308 - drawn by segno, nothing of the text is in it
