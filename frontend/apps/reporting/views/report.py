"""One report: its making, its text with the evidence beside it, its files."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import reswap, retarget, trigger_client_event

from apps.backend.client import BackendClient
from apps.backend.errors import BackendUnavailable, Conflict, Invalid, PaymentRequired
from apps.backend.jobs import Job
from apps.backend.reports import ExportFormat, Report
from apps.reporting.citations import cite
from apps.reporting.forms import RenameForm
from apps.shell.client import get_backend_client
from apps.shell.files import pass_on
from apps.shell.pages import mint_key, read_key, wants_fragment
from apps.shell.refusals import take_refusal
from apps.shell.toasts import add_toast

FORMATS: Final[dict[str, ExportFormat]] = {"md": "md", "pdf": "pdf"}


@require_safe
def report(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """The document with its evidence; before that, how far its making is or why it ended."""
    client = get_backend_client(request)
    found = client.reports.get(report_id=report_id)
    return _show(request, found, _find_job(client, found))


@require_safe
def progress(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Asked every two seconds while the report is made; at its end the whole page's content comes instead.

    A poll that finds no backend changes nothing on the page: the status bar says what is the matter.
    """
    if not wants_fragment(request):
        return redirect("reporting:report", report_id)
    client = get_backend_client(request)
    try:
        found = client.reports.get(report_id=report_id)
        job = _find_job(client, found)
    except BackendUnavailable:
        return HttpResponse(status=204)
    if is_in_the_making(found, job):
        context = {"report": found, "job": job}
        return TemplateResponse(request, "reporting/partials/progress.html", context)
    return _show_end(request, found, job)


def _show_end(request: HttpRequest, found: Report, job: Job | None) -> HttpResponse:
    response = TemplateResponse(request, "reporting/partials/report.html", _context(found, job))
    reswap(retarget(response, "#report"), "outerHTML")
    trigger_client_event(response, "job-finished")
    if found.document is not None:
        add_toast(response, "Your document is ready.")
    return response


@require_POST
def cancel(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Stop the making. When it is too late the page says how it ended."""
    client = get_backend_client(request)
    found = client.reports.get(report_id=report_id)
    try:
        if found.job_id is not None:
            client.jobs.cancel(job_id=found.job_id)
    except Conflict as error:
        messages.warning(request, error.message)
    return redirect("reporting:report", report_id)


@require_POST
def retry(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Make it once more; what had succeeded is kept."""
    client = get_backend_client(request)
    found = client.reports.get(report_id=report_id)
    try:
        if found.job_id is not None:
            client.jobs.retry(job_id=found.job_id, idempotency_key=read_key(request))
    except (Conflict, PaymentRequired) as error:
        messages.warning(request, error.message)
    return redirect("reporting:report", report_id)


@require_POST
def rename(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Another title for the report and its files."""
    client = get_backend_client(request)
    form = RenameForm(request.POST)
    if form.is_valid():
        try:
            client.reports.rename(report_id=report_id, title=form.cleaned_data["title"])
        except Invalid as error:
            take_refusal(form, error)
    if not form.errors:
        messages.success(request, "The report has its new title.")
        return redirect("reporting:report", report_id)
    found = client.reports.get(report_id=report_id)
    return _show(request, found, _find_job(client, found), rename_form=form, status=400)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """Asks first, by name; a POST deletes."""
    client = get_backend_client(request)
    found = client.reports.get(report_id=report_id)
    if request.method != "POST":
        context = {"report": found, "delete_title": _delete_title(found)}
        return TemplateResponse(request, "reporting/delete.html", context)
    client.reports.delete(report_id=report_id)
    messages.success(request, f"“{found.title}” is deleted.")
    return redirect("reporting:list")


@require_safe
def download(request: HttpRequest, report_id: UUID, file_format: str) -> HttpResponseBase:
    """The document as a file, passed on as it comes."""
    if file_format not in FORMATS:
        raise Http404
    found = get_backend_client(request).reports.export(report_id=report_id, file_format=FORMATS[file_format])
    return pass_on(found)


def is_in_the_making(found: Report, job: Job | None) -> bool:
    """Whether the page should go on asking. A job may be done a moment before its report says so."""
    if job is None or found.state != "pending":
        return False
    return job.is_open or job.state == "succeeded"


def _find_job(client: BackendClient, found: Report) -> Job | None:
    """The job behind a report that is not ready; a ready one has nothing more to say about it."""
    if found.state == "ready" or found.job_id is None:
        return None
    return client.jobs.get(job_id=found.job_id)


def _context(found: Report, job: Job | None, *, rename_form: RenameForm | None = None) -> dict[str, object]:
    return {
        "report": found,
        "job": job,
        "document": cite(found),
        "is_in_the_making": is_in_the_making(found, job),
        "rename_form": rename_form or RenameForm(initial={"title": found.title}),
        "delete_title": _delete_title(found),
        "key": mint_key(),
    }


def _delete_title(found: Report) -> str:
    return f"Delete “{found.title}”?"


def _show(
    request: HttpRequest,
    found: Report,
    job: Job | None,
    *,
    rename_form: RenameForm | None = None,
    status: int = 200,
) -> HttpResponse:
    context = _context(found, job, rename_form=rename_form)
    return TemplateResponse(request, "reporting/report.html", context, status=status)
