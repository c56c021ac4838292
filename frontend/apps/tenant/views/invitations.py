"""Invitations into the tenant: keys that are shown once, and withdrawn while nobody has used them."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from apps.accounts import once
from apps.backend.passkeys import NewPasskey
from apps.shell.acts import Act, Confirmation, bound, run_act
from apps.shell.client import get_backend_client
from apps.shell.pages import lead_to
from apps.tenant.forms import InviteForm

NEW_INVITATION: Final = "new_invitation"


@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest) -> HttpResponse:
    act = Act(
        title="Invite somebody",
        text="You get a key to pass on. It opens this tenant once.",
        label="Make invitation",
        kind="primary",
        back_path=resolve_url("tenant:members"),
    )
    form = bound(request, InviteForm)

    def do(key: str) -> HttpResponse:
        made = get_backend_client(request).tenant.invite(
            role=form.cleaned_data["role"],
            bound_email=form.cleaned_data["bound_email"],
            note=form.cleaned_data["note"],
            expires_at=form.expires_at(now=timezone.now()),
            idempotency_key=key,
        )
        _show_once(request, made)
        return lead_to(request, resolve_url("tenant:members"))

    return run_act(request, act, form, do, renames={"expires_at": "days"})


def _show_once(request: HttpRequest, made: NewPasskey) -> None:
    """When the same form had arrived before, its answer with the key went astray, and nobody can tell it any more."""
    if not made.passkey:
        messages.warning(request, "The invitation was made, but its key was lost on the way. Revoke it, make another.")
        return
    once.keep(request, NEW_INVITATION, {"key": made.passkey, "text": write_invitation(made)})


def write_invitation(made: NewPasskey) -> str:
    """Words to send with the key."""
    where = f"{settings.FRONTEND_BASE_URL}{resolve_url('accounts:sign-up')}"
    tenant = f" “{made.tenant.name}”" if made.tenant else ""
    lines = [
        f"I would like to have you in our AfterResume tenant{tenant}.",
        f"Sign up here: {where}",
        f"Your invite passkey: {made.passkey}",
    ]
    if made.bound_email:
        lines.append(f"It works with the address {made.bound_email} only.")
    if made.expires_at:
        lines.append(f"It works once, until {timezone.localtime(made.expires_at):%d %B %Y, %H:%M}.")
    return "\n".join(lines)


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, passkey_id: UUID) -> HttpResponse:
    client = get_backend_client(request)
    found = next((one for one in client.tenant.passkeys(state="active") if one.id == passkey_id), None)
    if found is None:
        raise Http404
    act = Act(
        title=f"Revoke the invitation “{found.shown}”?",
        lines=("Its key opens nothing any more.", "You can make a new invitation at any time."),
        label="Revoke",
        keep_label="Keep it",
        back_path=resolve_url("tenant:members"),
    )

    def do(key: str) -> HttpResponse:
        client.tenant.revoke_passkey(passkey_id, idempotency_key=key)
        messages.success(request, f"The invitation “{found.shown}” is revoked.")
        return lead_to(request, resolve_url("tenant:members"))

    return run_act(request, act, bound(request, Confirmation), do)
