"""The first page after sign-in."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from apps.backend.client import BackendClient
from apps.backend.together import together
from apps.backend.worklogs import EntryFilters
from apps.dashboard.overview import count_streak, first_day_looked_at, week_bars, week_of
from apps.shell.client import get_backend_client


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Recent work, what lacks an outcome, the reserve, what runs and what was made of it."""
    return TemplateResponse(request, "dashboard/home.html", _overview(get_backend_client(request)))


def _overview(client: BackendClient) -> dict[str, Any]:
    today = timezone.localdate()
    recent_filter = EntryFilters(from_day=first_day_looked_at(today), to_day=today, ordering="-occurred_on")
    recent, lacking, balance, jobs, reports = together(
        lambda: client.worklogs.list(filters=recent_filter, page_size=100),
        lambda: client.worklogs.list(filters=EntryFilters(lacks_impact=True), page_size=4),
        client.billing.balance,
        lambda: client.jobs.list(page_size=10),
        lambda: client.reports.list(page_size=4),
    )
    days = [entry.occurred_on for entry in recent]
    return {
        "this_week": [entry for entry in recent if week_of(entry.occurred_on) == week_of(today)],
        "latest": recent.results[:5],
        "streak": count_streak(days, today=today),
        "weeks": week_bars(days, today=today),
        "lacking": lacking,
        "balance": balance,
        "open_jobs": [job for job in jobs if job.is_open],
        "reports": reports,
        "is_newcomer": not recent.results and not reports.results,
        "today": today,
    }
