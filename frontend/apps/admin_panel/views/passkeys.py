"""Invite passkeys of the whole house, for staff."""

from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts import once
from apps.admin_panel.forms import PasskeyFilterForm, PasskeyForm
from apps.backend.passkeys import NewPasskey
from apps.shell.acts import Act, Confirmation, bound, run_act
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, lead_to, next_page_url, wants_fragment

NEW_PASSKEY: Final = "new_staff_passkey"


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Newest first, by state; right after one is made also the key itself, this once."""
    form, cursor = PasskeyFilterForm(request.GET), request.GET.get("cursor")
    passkeys = get_backend_client(request).staff.passkeys(state=form.chosen, cursor=cursor)
    is_page = request.method == "GET" and not wants_fragment(request)
    return answer(
        request,
        page="admin_panel/passkeys.html",
        fragment="admin_panel/partials/passkey_rows.html" if cursor else "admin_panel/partials/passkeys.html",
        context={
            "form": form,
            "passkeys": passkeys,
            "made": once.take(request, NEW_PASSKEY) if is_page else None,
            "sign_up_url": f"{settings.FRONTEND_BASE_URL}{resolve_url('accounts:sign-up')}",
            "more_url": next_page_url(request, passkeys.next_cursor),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    client = get_backend_client(request)
    if request.method != "POST":
        # The form opens to staff alone, and only the backend says who they are.
        client.staff.passkeys(state="active")
    act = Act(
        title="New invite passkey",
        text="It opens one account, once, on the terms below.",
        label="Make invite passkey",
        kind="primary",
        back_path=resolve_url("admin_panel:passkeys"),
    )
    into = request.GET.get("tenant", "")
    form = bound(request, PasskeyForm, tenant=into, role="member" if into else "")

    def do(key: str) -> HttpResponse:
        terms = form.terms(now=timezone.now())
        _show_once(request, client.staff.create_passkey(terms=terms, idempotency_key=key))
        return lead_to(request, resolve_url("admin_panel:passkeys"))

    return run_act(request, act, form, do, renames={"expires_at": "days", "promo_credit_cents": "credit"})


def _show_once(request: HttpRequest, made: NewPasskey) -> None:
    """When the same form had arrived before, its answer with the key went astray, and nobody can tell it any more."""
    if made.passkey:
        once.keep(request, NEW_PASSKEY, {"key": made.passkey})
    else:
        messages.warning(request, "It was made, but its key was lost on the way. Revoke it and make another.")


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, passkey_id: UUID) -> HttpResponse:
    client = get_backend_client(request)
    found = client.staff.passkey(passkey_id)
    act = Act(
        title=f"Revoke the invite passkey “{found.shown}”?",
        lines=("It opens nothing any more.",),
        label="Revoke",
        keep_label="Keep it",
        back_path=resolve_url("admin_panel:passkeys"),
    )

    def do(key: str) -> HttpResponse:
        client.staff.revoke_passkey(passkey_id, idempotency_key=key)
        messages.success(request, f"“{found.shown}” is revoked.")
        return lead_to(request, resolve_url("admin_panel:passkeys"))

    return run_act(request, act, bound(request, Confirmation), do)
