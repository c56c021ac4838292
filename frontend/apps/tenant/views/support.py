"""Support access: let staff see what one sees oneself, for a while, and see what they looked at."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from apps.accounts.refusals import REFUSALS
from apps.backend.client import BackendClient
from apps.backend.support import Grant
from apps.backend.together import together
from apps.shell.acts import Act, Confirmation, bound, run_act
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, lead_to, next_page_url, read_key
from apps.shell.refusals import key_after, status_of, take_refusal
from apps.tenant.forms import GrantForm

_LOOK_BACK = 100


@require_http_methods(["GET", "HEAD", "POST"])
def listing(request: HttpRequest) -> HttpResponse:
    """What staff may see now and might see before; a POST lets them."""
    client = get_backend_client(request)
    form, key = bound(request, GrantForm, worklog=True), read_key(request)
    status = 400 if request.method == "POST" else 200
    if form.is_valid():
        try:
            return _opened(request, _open(client, form, key))
        except REFUSALS as error:
            take_refusal(form, error, renames={"scopes": "billing"})
            key, status = key_after(error, key=key), status_of(error)
    grants = client.support.list(cursor=request.GET.get("cursor"))
    context = {"grants": grants, "form": form, "key": key, "more_url": next_page_url(request, grants.next_cursor)}
    return TemplateResponse(request, "tenant/support.html", context, status=status)


def _open(client: BackendClient, form: GrantForm, key: str) -> Grant:
    return client.support.open(
        reason=form.cleaned_data["reason"],
        scopes=form.scopes,
        minutes=form.cleaned_data["minutes"],
        idempotency_key=key,
    )


def _opened(request: HttpRequest, grant: Grant) -> HttpResponse:
    until = f"{timezone.localtime(grant.expires_at):%H:%M}"
    messages.success(request, f"Support can look until {until}. Each look is listed here.")
    return redirect("tenant:support")


@require_safe
def accesses(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """What staff looked at by one grant; for HTMX the next rows."""
    client = get_backend_client(request)
    cursor = request.GET.get("cursor")
    grant, looks = together(lambda: _find(client, grant_id), lambda: client.support.accesses(grant_id, cursor=cursor))
    return answer(
        request,
        page="tenant/support_accesses.html",
        fragment="tenant/partials/accesses.html",
        context={"grant": grant, "accesses": looks, "more_url": next_page_url(request, looks.next_cursor)},
    )


def _find(client: BackendClient, grant_id: UUID) -> Grant | None:
    """The grant, when it is not older than the last hundred."""
    return next((one for one in client.support.list(page_size=_LOOK_BACK) if one.id == grant_id), None)


@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    client = get_backend_client(request)
    found = _find(client, grant_id)
    if found is None:
        raise Http404
    act = Act(
        title="End support access?",
        text=f"Given by {found.granted_by.shown}: {found.reason}",
        lines=("Support sees nothing more from this moment.", "What they looked at stays listed."),
        label="End access",
        keep_label="Keep it",
        back_path=resolve_url("tenant:support"),
    )

    def do(key: str) -> HttpResponse:
        client.support.revoke(grant_id, idempotency_key=key)
        messages.success(request, "Support access has ended.")
        return lead_to(request, resolve_url("tenant:support"))

    return run_act(request, act, bound(request, Confirmation), do)
