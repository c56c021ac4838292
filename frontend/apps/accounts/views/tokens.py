"""Personal API tokens: named keys for curl and scripts."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import once
from apps.accounts.forms.profile import TokenForm
from apps.accounts.refusals import REFUSALS
from apps.backend.tokens import NewToken
from apps.shell.client import get_backend_client
from apps.shell.pages import read_key
from apps.shell.questions import Question, ask_first
from apps.shell.refusals import key_after, take_refusal


@require_safe
def list_tokens(request: HttpRequest) -> HttpResponse:
    """Those that there are; right after one is made also its key, this once."""
    tokens = get_backend_client(request).tokens.list()
    made = once.take(request, once.NEW_TOKEN) if request.method == "GET" else None
    context = {"tokens": tokens, "made": made, "api_url": f"{settings.BACKEND_PUBLIC_URL}/api/me/"}
    return TemplateResponse(request, "accounts/tokens.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create_token(request: HttpRequest) -> HttpResponse:
    form, key = TokenForm(request.POST or None), read_key(request)
    if form.is_valid():
        try:
            made = get_backend_client(request).tokens.create(
                name=form.cleaned_data["name"],
                scopes=form.scopes,
                expires_in_days=form.cleaned_data["expires_in_days"],
                idempotency_key=key,
            )
        except REFUSALS as error:
            take_refusal(form, error, renames={"scopes": "scope"})
            key = key_after(error, key=key)
        else:
            return _is_made(request, made)
    return TemplateResponse(request, "accounts/token_new.html", {"form": form, "key": key})


def _is_made(request: HttpRequest, made: NewToken) -> HttpResponse:
    """When the same form had arrived before, its answer with the key went astray, and nobody can tell it any more."""
    if made.token:
        once.keep(request, once.NEW_TOKEN, {"name": made.name, "key": made.token})
    else:
        messages.warning(request, f"“{made.name}” was made, but its key was lost on the way. Revoke it, make another.")
    return redirect("accounts:tokens")


@require_http_methods(["GET", "HEAD", "POST"])
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    client = get_backend_client(request)
    found = next((one for one in client.tokens.list() if one.id == token_id), None)
    if found is None:
        raise Http404
    if request.method != "POST":
        question = Question(
            title=f"Revoke “{found.name}”?",
            text="Whatever uses this token is refused from then on. It cannot be brought back.",
            label="Revoke token",
            back_path=resolve_url("accounts:tokens"),
        )
        return ask_first(request, question)
    client.tokens.revoke(token_id)
    messages.success(request, f"“{found.name}” is revoked.")
    return redirect("accounts:tokens")
