"""The audit of the whole house, for staff."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.admin_panel.forms import StaffAuditFilterForm
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, next_page_url


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Newest first. For HTMX: the filtered list, or with a cursor its next rows."""
    form, cursor = StaffAuditFilterForm(request.GET), request.GET.get("cursor")
    events = get_backend_client(request).audit.of_all(filters=form.filters, cursor=cursor)
    return answer(
        request,
        page="admin_panel/audit.html",
        fragment="shell/audit_rows.html" if cursor else "admin_panel/partials/audit.html",
        context={
            "form": form,
            "events": events,
            "is_staff_view": True,
            "more_url": next_page_url(request, events.next_cursor),
        },
    )
