"""The password once more, before something dangerous."""

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts.forms.sign_in import TROUBLE, ReauthenticationForm
from apps.backend.errors import BackendUnavailable, Invalid, RateLimited
from apps.shell import held_forms
from apps.shell.client import get_backend_client
from apps.shell.requests import own_path


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def reauthenticate(request: HttpRequest) -> HttpResponse:
    """Prove who is there, then go back: to the page, or on with the form that waits."""
    given = request.POST if request.method == "POST" else request.GET
    target, held_name = own_path(given.get(REDIRECT_FIELD_NAME)), given.get(held_forms.FIELD, "")
    form = ReauthenticationForm(request.POST or None)
    if form.is_valid() and _is_proven(request, form):
        return _go_on(request, target=target, held_name=held_name)
    context = {"form": form, "target": target, "held_name": held_name}
    return TemplateResponse(request, "account/reauthenticate.html", context)


def _is_proven(request: HttpRequest, form: ReauthenticationForm) -> bool:
    try:
        get_backend_client(request).auth.reauthenticate(password=form.cleaned_data["password"])
    except (Invalid, RateLimited) as error:
        form.add_error("password", error.message)
    except BackendUnavailable:
        form.add_error(None, TROUBLE)
    return not form.errors


def _go_on(request: HttpRequest, *, target: str, held_name: str) -> HttpResponse:
    request.session.cycle_key()
    held = held_forms.take_held_form(request, name=held_name, now=timezone.now())
    if held is None:
        return redirect(target)
    return TemplateResponse(request, "account/continue.html", {"held": held, "target": target})
