"""All reports."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.shell.client import get_backend_client
from apps.shell.pages import answer


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Newest first; for HTMX the rows of the next page."""
    reports = get_backend_client(request).reports.list(cursor=request.GET.get("cursor"))
    return answer(
        request,
        page="reporting/list.html",
        fragment="reporting/partials/rows.html",
        context={"reports": reports},
    )
