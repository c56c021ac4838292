"""My data: take it along, or have it erased."""

from typing import Final, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import services
from apps.accounts.models import User
from apps.backend.client import BackendClient
from apps.backend.errors import BackendUnavailable, Conflict, Invalid, NotFound, RateLimited
from apps.backend.jobs import Job
from apps.backend.mydata import DataExport, DeletionTerms
from apps.backend.pages import Page
from apps.backend.together import together
from apps.shell.client import get_backend_client
from apps.shell.files import pass_on
from apps.shell.pages import lead_to, mint_key, read_key, wants_fragment
from apps.shell.refusals import key_after, status_of, take_refusal
from apps.shell.toasts import add_toast
from apps.tenant.forms import DeleteForm

_SAYABLE: Final = (NotFound, Conflict, RateLimited)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What can be had and what can be erased, with the exports that there are."""
    client = get_backend_client(request)
    listed, terms = together(client.mydata.exports, client.mydata.deletion)
    _mirror(request, terms)
    context = {"terms": terms, "key": mint_key(), **_exports_context(client, listed)}
    return TemplateResponse(request, "tenant/data.html", context)


@require_safe
def exports(request: HttpRequest) -> HttpResponse:
    """Asked every two seconds while an export is written.

    A poll that finds no backend changes nothing on the page: the status bar says what is the matter.
    """
    if not wants_fragment(request):
        return redirect("tenant:data")
    client = get_backend_client(request)
    try:
        context = _exports_context(client, client.mydata.exports())
    except BackendUnavailable:
        return HttpResponse(status=204)
    response = TemplateResponse(request, "tenant/partials/exports.html", {**context, "key": mint_key()})
    if not context["is_pending"]:
        newest = cast("Page[DataExport]", context["exports"]).results[:1]
        if newest and newest[0].state == "ready":
            add_toast(response, "Your export is ready.")
    return response


def _exports_context(client: BackendClient, listed: Page[DataExport]) -> dict[str, object]:
    pending = next((one for one in listed if one.state == "pending"), None)
    return {"exports": listed, "is_pending": pending is not None, "job": _find_job(client, pending)}


def _find_job(client: BackendClient, pending: DataExport | None) -> Job | None:
    """How far the writing is; the list says enough when the job cannot be read."""
    if pending is None:
        return None
    try:
        return client.jobs.get(job_id=pending.job_id)
    except NotFound:
        return None


@require_POST
def export(request: HttpRequest) -> HttpResponse:
    try:
        get_backend_client(request).mydata.start_export(idempotency_key=read_key(request))
    except _SAYABLE as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, "Your export is being written. You get a mail when it is ready.")
    return lead_to(request, resolve_url("tenant:data"))


@require_safe
def download(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """The ZIP, passed on as it comes."""
    try:
        return pass_on(get_backend_client(request).mydata.download(export_id))
    except Conflict as error:
        messages.warning(request, error.message)
        return redirect("tenant:data")


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """What goes, what stays and for how long; a POST with the person's own name schedules it."""
    client = get_backend_client(request)
    terms = client.mydata.deletion()
    _mirror(request, terms)
    if terms.scheduled_for is not None:
        return redirect("tenant:data")
    form = DeleteForm(request.POST if request.method == "POST" else None, has_balance=terms.balance_loss is not None)
    key, status = read_key(request), 400 if request.method == "POST" else 200
    if form.is_valid():
        try:
            return _scheduled(request, _schedule(client, form, key))
        except (Invalid, Conflict, RateLimited, BackendUnavailable) as error:
            take_refusal(form, error)
            key, status = key_after(error, key=key), status_of(error)
    context = {"terms": terms, "form": form, "key": key}
    return TemplateResponse(request, "tenant/delete.html", context, status=status)


def _schedule(client: BackendClient, form: DeleteForm, key: str) -> DeletionTerms:
    return client.mydata.schedule_deletion(
        confirm=form.cleaned_data["confirm"],
        reason=form.cleaned_data["reason"],
        accepts_balance_loss=form.cleaned_data.get("accept_balance_loss", False),
        idempotency_key=key,
    )


def _scheduled(request: HttpRequest, terms: DeletionTerms) -> HttpResponse:
    _mirror(request, terms)
    messages.success(request, "The deletion of your account is scheduled. You can undo it until then.")
    return redirect("tenant:data")


@require_POST
def undo_delete(request: HttpRequest) -> HttpResponse:
    try:
        get_backend_client(request).mydata.undo_deletion(idempotency_key=read_key(request))
    except _SAYABLE as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, "Your account stays. Personal tokens that had ended stay ended.")
    services.mirror_deletion(user=cast("User", request.user), scheduled_for=None)
    return lead_to(request, resolve_url("tenant:data"))


def _mirror(request: HttpRequest, terms: DeletionTerms) -> None:
    services.mirror_deletion(user=cast("User", request.user), scheduled_for=terms.scheduled_for)
