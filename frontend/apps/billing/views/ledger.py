"""Every movement of the reserve."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from apps.billing.forms import LedgerFilterForm
from apps.shell.client import get_backend_client
from apps.shell.files import pass_on
from apps.shell.pages import answer, next_page_url


@require_safe
def ledger(request: HttpRequest) -> HttpResponse:
    """Newest first. For HTMX: the filtered table, or with a cursor its next rows."""
    form = LedgerFilterForm(request.GET)
    cursor = request.GET.get("cursor")
    entries = get_backend_client(request).billing.ledger(filters=form.filters, cursor=cursor)
    query = request.GET.copy()
    query.pop("cursor", None)
    context = {
        "form": form,
        "entries": entries,
        "more_url": next_page_url(request, entries.next_cursor),
        "query": query.urlencode(),
    }
    fragment = "billing/partials/ledger_rows.html" if cursor else "billing/partials/ledger_table.html"
    return answer(request, page="billing/ledger.html", fragment=fragment, context=context)


@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """The same list, whole, as CSV, passed on as it comes."""
    return pass_on(get_backend_client(request).billing.export_ledger(filters=LedgerFilterForm(request.GET).filters))
