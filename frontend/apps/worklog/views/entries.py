"""One entry: reading, editing, deleting and bringing back."""

from dataclasses import dataclass, replace
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from apps.backend.errors import BackendError, NotAuthenticated
from apps.backend.together import together
from apps.shell.client import get_backend_client
from apps.shell.pages import lead_to, mint_key, read_key, wants_fragment
from apps.shell.refusals import key_after, status_of, take_refusal
from apps.shell.toasts import add_toast
from apps.worklog.fields import values_of
from apps.worklog.forms import EntryForm
from apps.worklog.history import Difference, differences_between, list_edits
from apps.worklog.suggestions import find_suggestions
from apps.worklog.views.quick_add import CHANGED


@require_safe
def entry(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """The entry with its history."""
    client = get_backend_client(request)
    found, versions = together(
        lambda: client.worklogs.get(entry_id=entry_id), lambda: client.worklogs.versions(entry_id=entry_id)
    )
    context = {"entry": found, "edits": list_edits(versions.results), "is_history_cut": bool(versions.next_cursor)}
    return TemplateResponse(request, "worklog/entry.html", context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Editing:
    """The edit form as it is shown. `differences` are between what is saved now and what was typed."""

    entry_id: UUID
    form: EntryForm
    version: int
    key: str
    is_conflict: bool = False
    differences: tuple[Difference, ...] = ()


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """The edit form. What is typed survives a refusal, a missing backend and somebody else's edit."""
    if request.method == "POST":
        return _take(request, entry_id)
    found = get_backend_client(request).worklogs.get(entry_id=entry_id)
    form = EntryForm(initial=values_of(found))
    return _show(request, Editing(entry_id=entry_id, form=form, version=found.version, key=mint_key()))


def _take(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    form = EntryForm(request.POST)
    editing = Editing(entry_id=entry_id, form=form, version=_read_version(request), key=read_key(request))
    if not form.is_valid():
        return _show(request, editing, status=400)
    try:
        get_backend_client(request).worklogs.update(
            entry_id=entry_id, draft=form.draft(), version=editing.version, idempotency_key=editing.key
        )
    except NotAuthenticated:
        raise
    except BackendError as error:
        return _show(request, _after_refusal(request, editing, error), status=status_of(error))
    messages.success(request, "Your changes are saved.")
    return lead_to(request, resolve_url("worklog:entry", entry_id))


def _after_refusal(request: HttpRequest, editing: Editing, error: BackendError) -> Editing:
    """When somebody saved in between, sending again means: this text over the present one, which is shown."""
    if error.code != "version_conflict":
        take_refusal(editing.form, error)
        return replace(editing, key=key_after(error, key=editing.key))
    current = get_backend_client(request).worklogs.get(entry_id=editing.entry_id)
    differences = differences_between(current, editing.form.draft())
    return replace(editing, version=current.version, key=mint_key(), is_conflict=True, differences=differences)


def _show(request: HttpRequest, editing: Editing, *, status: int = 200) -> HttpResponse:
    context = {"editing": editing, "form": editing.form, "suggestions": find_suggestions(get_backend_client(request))}
    return TemplateResponse(request, "worklog/edit.html", context, status=status)


def _read_version(request: HttpRequest) -> int:
    """0 for what is no version: the backend then answers that the entry has changed, and nothing is overwritten."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


@require_POST
def delete(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Soft, so it needs no question: the undo brings the entry back."""
    get_backend_client(request).worklogs.delete(entry_id=entry_id)
    if not wants_fragment(request):
        return redirect(f"{resolve_url('worklog:timeline')}?deleted={entry_id}")
    response = add_toast(
        HttpResponse(status=204), "Entry deleted", level="info", undo_url=resolve_url("worklog:restore", entry_id)
    )
    return trigger_client_event(response, CHANGED)


@require_POST
def restore(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Bring a deleted entry back."""
    found = get_backend_client(request).worklogs.restore(entry_id=entry_id)
    if not wants_fragment(request):
        messages.success(request, f"“{found.title}” is back.")
        return redirect("worklog:entry", entry_id)
    response = add_toast(HttpResponse(status=204), f"“{found.title}” is back.")
    return trigger_client_event(response, CHANGED)
