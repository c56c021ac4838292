"""Who changed what in the tenant, for its owners."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from apps.backend.errors import Forbidden
from apps.shell.audit import AuditFilterForm
from apps.shell.client import get_backend_client
from apps.shell.files import pass_on
from apps.shell.pages import answer, next_page_url


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Newest first. For HTMX: the filtered list, or with a cursor its next rows."""
    form = AuditFilterForm(request.GET)
    cursor = request.GET.get("cursor")
    try:
        events = get_backend_client(request).audit.of_tenant(filters=form.filters, cursor=cursor)
    except Forbidden as error:
        if type(error) is not Forbidden:
            raise
        return TemplateResponse(request, "tenant/activity_closed.html", status=403)
    query = request.GET.copy()
    query.pop("cursor", None)
    context = {
        "form": form,
        "events": events,
        "more_url": next_page_url(request, events.next_cursor),
        "query": query.urlencode(),
    }
    fragment = "shell/audit_rows.html" if cursor else "tenant/partials/activity.html"
    return answer(request, page="tenant/activity.html", fragment=fragment, context=context)


@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """The same list, whole, as CSV, passed on as it comes."""
    return pass_on(get_backend_client(request).audit.export(filters=AuditFilterForm(request.GET).filters))
