"""Quick add: a modal from anywhere, and a page of its own without scripts."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from apps.backend.client import BackendClient
from apps.backend.errors import BackendError, BackendUnavailable, NotAuthenticated
from apps.backend.worklogs import Entry
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, lead_to, mint_key, read_key, wants_fragment
from apps.shell.refusals import key_after, sentence_of, status_of, take_refusal
from apps.shell.toasts import add_toast
from apps.worklog.forms import QuickAddForm
from apps.worklog.lines import Understanding, understand
from apps.worklog.suggestions import find_defaults, find_suggestions

# Events of the page: the list of entries is out of date; the dialog's work is done.
CHANGED = "worklog-changed"
CLOSE_MODAL = "close-modal"
CANNOT_CHECK = "The line cannot be checked at the moment."


@require_http_methods(["GET", "HEAD", "POST"])
def quick_add(request: HttpRequest) -> HttpResponse:
    """The form with the names used last; a POST saves it, or with `preview` shows how the line is understood."""
    if request.method == "POST":
        return _take(request)
    defaults, suggestions = find_defaults(get_backend_client(request))
    initial = {
        "occurred_on": timezone.localdate(),
        "employer": defaults.employer,
        "project": defaults.project,
    }
    context = {"form": QuickAddForm(initial=initial), "key": mint_key(), "suggestions": suggestions}
    return answer(
        request, page="worklog/quick_add.html", fragment="worklog/partials/quick_add_modal.html", context=context
    )


@require_POST
def preview_line(request: HttpRequest) -> HttpResponse:
    """How the line is understood, for the place below it. Fields that are half typed do not matter yet."""
    form = QuickAddForm(request.POST)
    form.is_valid()
    context: dict[str, object] = {"form": form}
    if "title" in form.cleaned_data:
        try:
            context["understanding"] = _understanding(get_backend_client(request), form)
        except NotAuthenticated:
            raise
        except BackendError as error:
            context["problem"] = CANNOT_CHECK if isinstance(error, BackendUnavailable) else sentence_of(error)
    return TemplateResponse(request, "worklog/partials/understanding.html", context)


def _take(request: HttpRequest) -> HttpResponse:
    form, key = QuickAddForm(request.POST), read_key(request)
    if not form.is_valid():
        return _show_again(request, form, key=key, status=400)
    client = get_backend_client(request)
    try:
        understanding = _understanding(client, form)
        if "preview" in request.POST:
            return _show_again(request, form, key=key, status=200, understanding=understanding)
        entry = client.worklogs.create(draft=understanding.draft, idempotency_key=key)
    except NotAuthenticated:
        raise
    except BackendError as error:
        take_refusal(form, error, renames={"line": "title"})
        return _show_again(request, form, key=key_after(error, key=key), status=status_of(error))
    return _saved(request, entry)


def _understanding(client: BackendClient, form: QuickAddForm) -> Understanding:
    """What will be saved. The line is parsed even when it is saved verbatim: only then is there a choice to offer."""
    draft = form.draft()
    parsed = client.worklogs.parse(line=draft.title)
    understood = understand(draft, parsed=parsed, today=timezone.localdate())
    if form.cleaned_data.get("is_verbatim"):
        return Understanding(draft=draft, has_marks=understood.has_marks)
    return understood


def _show_again(
    request: HttpRequest, form: QuickAddForm, *, key: str, status: int, understanding: Understanding | None = None
) -> HttpResponse:
    context = {"form": form, "key": key, "understanding": understanding, "in_modal": wants_fragment(request)}
    if not wants_fragment(request):
        context["suggestions"] = find_suggestions(get_backend_client(request))
    return answer(
        request,
        page="worklog/quick_add.html",
        fragment="worklog/partials/quick_add_form.html",
        context=context,
        status=status,
    )


def _saved(request: HttpRequest, entry: Entry) -> HttpResponse:
    """In the modal: it closes and the page behind stays. On its own page: on to the worklog, which offers the undo."""
    if not wants_fragment(request):
        return lead_to(request, f"{resolve_url('worklog:timeline')}?saved={entry.id}")
    response = HttpResponse(status=204)
    add_toast(
        response,
        f"Saved: {entry.title}",
        undo_url=resolve_url("worklog:delete", entry.id),
        link_url=resolve_url("worklog:entry", entry.id),
        link_label="Open",
    )
    trigger_client_event(response, CLOSE_MODAL)
    return trigger_client_event(response, CHANGED)
