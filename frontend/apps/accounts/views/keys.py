"""Security keys: adding, naming and removing them. The browser speaks with the key, in static/app/webauthn.js."""

import json
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from apps.accounts import once
from apps.accounts.forms.profile import KeyNameForm, SecurityKeyForm
from apps.accounts.refusals import REFUSALS
from apps.accounts.views.factors import is_set_up
from apps.backend.client import BackendClient
from apps.backend.errors import Conflict
from apps.backend.second_factor import SecurityKey
from apps.shell.client import get_backend_client
from apps.shell.questions import Question, ask_first
from apps.shell.refusals import take_refusal


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("credential")
def add_key(request: HttpRequest) -> HttpResponse:
    """Each showing of the page asks the backend for a fresh challenge, whose name stays in the session."""
    client = get_backend_client(request)
    form = SecurityKeyForm(request.POST or None)
    if form.is_valid():
        try:
            codes = client.second_factor.add_key(
                challenge=once.take(request, once.KEY_CHALLENGE) or "",
                name=form.cleaned_data["name"],
                credential=form.cleaned_data["credential"],
            )
        except REFUSALS as error:
            take_refusal(form, error)
        else:
            return is_set_up(request, codes, f"“{form.cleaned_data['name']}” is added.")
    setup = client.second_factor.begin_key()
    once.keep(request, once.KEY_CHALLENGE, setup.challenge)
    context = {"form": form, "options": json.dumps(dict(setup.options))}
    return TemplateResponse(request, "accounts/key_add.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def rename_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    client = get_backend_client(request)
    key = _get_key(client, key_id)
    form = KeyNameForm(request.POST or None, initial={"name": key.name})
    if form.is_valid():
        try:
            client.second_factor.rename_key(key_id, name=form.cleaned_data["name"])
        except REFUSALS as error:
            take_refusal(form, error)
        else:
            messages.success(request, f"The key is called “{form.cleaned_data['name']}” now.")
            return redirect("accounts:security")
    return TemplateResponse(request, "accounts/key_rename.html", {"form": form, "key": key})


@require_http_methods(["GET", "HEAD", "POST"])
def remove_key(request: HttpRequest, key_id: UUID) -> HttpResponse:
    client = get_backend_client(request)
    key = _get_key(client, key_id)
    if request.method != "POST":
        question = Question(
            title=f"Remove the security key “{key.name}”?",
            text="It stops opening your account. Without another factor, the password alone does.",
            label="Remove key",
            back_path=resolve_url("accounts:security"),
        )
        return ask_first(request, question)
    try:
        client.second_factor.remove_key(key_id)
    except Conflict as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"“{key.name}” is removed.")
    return redirect("accounts:security")


def _get_key(client: BackendClient, key_id: UUID) -> SecurityKey:
    found = next((key for key in client.second_factor.get().security_keys if key.id == key_id), None)
    if found is None:
        raise Http404
    return found
