"""Background work: what runs, what ran, and what can be done about it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from apps.backend.errors import BackendUnavailable, Conflict, PaymentRequired
from apps.backend.together import together
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, mint_key, read_key, wants_fragment

FINISHED = "job-finished"


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Newest first. For HTMX: with a cursor the next page's rows, without one the first page again (a poll).

    A poll that finds no backend changes nothing on the page: the status bar says what is the matter.
    """
    cursor = request.GET.get("cursor")
    try:
        jobs = get_backend_client(request).jobs.list(cursor=cursor)
    except BackendUnavailable:
        if wants_fragment(request) and not cursor:
            return HttpResponse(status=204)
        raise
    open_count = sum(job.is_open for job in jobs)
    response = answer(
        request,
        page="jobs/list.html",
        fragment="jobs/partials/rows.html" if cursor else "jobs/partials/live.html",
        context={"jobs": jobs, "open_count": open_count, "is_continuation": bool(cursor)},
    )
    if open_count < _open_before(request):
        trigger_client_event(response, FINISHED)
    return response


@require_safe
def job(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Steps, attempts and events of one job; polled by HTMX while it is open."""
    client = get_backend_client(request)
    try:
        found, events = together(lambda: client.jobs.get(job_id=job_id), lambda: client.jobs.events(job_id=job_id))
    except BackendUnavailable:
        if wants_fragment(request):
            return HttpResponse(status=204)
        raise
    context = {"job": found, "events": events, "key": mint_key()}
    response = answer(request, page="jobs/job.html", fragment="jobs/partials/job.html", context=context)
    if wants_fragment(request) and not found.is_open:
        trigger_client_event(response, FINISHED)
    return response


@require_POST
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Stop it; when it is too late the page says how it ended."""
    try:
        get_backend_client(request).jobs.cancel(job_id=job_id)
    except Conflict as error:
        messages.warning(request, error.message)
    return redirect("jobs:job", job_id)


@require_POST
def retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Run it once more; what had succeeded is kept."""
    try:
        get_backend_client(request).jobs.retry(job_id=job_id, idempotency_key=read_key(request))
    except (Conflict, PaymentRequired) as error:
        messages.warning(request, error.message)
    return redirect("jobs:job", job_id)


def _open_before(request: HttpRequest) -> int:
    """How many were open when the page asked last; 0 when it has not asked before."""
    text = request.GET.get("open", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
