"""Who the person is here: name, zone, mails."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from apps.accounts import services
from apps.accounts.forms.profile import ProfileForm
from apps.accounts.models import User
from apps.accounts.refusals import REFUSALS
from apps.backend.me import Me
from apps.shell.client import get_backend_client
from apps.shell.refusals import take_refusal


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Who the person is to the backend; name, time zone and mails can be chosen."""
    client = get_backend_client(request)
    me = client.me.get()
    services.mirror_profile(user=cast("User", request.user), me=me, now=timezone.now())
    form = ProfileForm(request.POST or None, me=me)
    if form.is_valid():
        try:
            return _saved(
                request,
                client.me.update(
                    display_name=form.cleaned_data["display_name"],
                    time_zone=form.cleaned_data["time_zone"],
                    notifications=form.notifications,
                ),
            )
        except REFUSALS as error:
            take_refusal(form, error)
    return TemplateResponse(request, "accounts/profile.html", {"me": me, "form": form})


def _saved(request: HttpRequest, me: Me) -> HttpResponse:
    services.mirror_profile(user=cast("User", request.user), me=me, now=timezone.now())
    messages.success(request, "Your profile is saved.")
    return redirect("accounts:profile")
