"""The whole vocabulary of the interface on one page, for those who build and review it."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.backend.jobs import Job, JobStep
from apps.shell.formatting import STATE_LOOKS

_STEP = JobStep(name="write", label="Write", state="running", attempt=2, started_at=None, finished_at=None, error=None)


def _specimen_job() -> Job:
    return Job(
        id=UUID(int=0),
        kind="report",
        state="running",
        progress=40,
        steps=(replace(_STEP, label="Collect entries", state="succeeded", attempt=1), _STEP),
        estimate_micros=40_000,
        cost_micros=None,
        report_id=None,
        title="Brag document, autumn",
        error=None,
        error_code=None,
        created_at=timezone.now(),
        started_at=None,
        finished_at=None,
        can_cancel=True,
        can_retry=False,
    )


class SpecimenForm(forms.Form):
    """One field of each kind; shown, never sent."""

    name = forms.CharField(help_text="A line of help says what the label cannot.")
    notes = forms.CharField(widget=forms.Textarea, required=False)
    kind = forms.ChoiceField(choices=[("a", "First choice"), ("b", "Second choice")])
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}), required=False)
    agree = forms.BooleanField(label="Include drafts", required=False)


@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    """Staff only: it is a tool, not a page of the product."""
    if not getattr(request.user, "is_backend_staff", False):
        raise PermissionDenied
    now = timezone.now()
    context = {
        "form": SpecimenForm(),
        "refused_form": SpecimenForm({"refused-name": "", "refused-kind": "z"}, prefix="refused"),
        "states": list(STATE_LOOKS),
        "amounts": [372, 40_000, 4_200_000, -1_234_567_891, 0],
        "moments": [now - timedelta(seconds=span) for span in (5, 240, 9_000, 100_000, 4_000_000)],
        "job": _specimen_job(),
        "markdown": "A *quiet* **word**, `code` and\n\n- a list\n- of two\n\n> quoted",
    }
    return TemplateResponse(request, "ui/gallery.html", context)
