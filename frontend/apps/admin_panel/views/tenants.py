"""Tenants, for staff: their people, their plan and how their reserve stands."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from apps.admin_panel.forms import TenantFilterForm
from apps.shell.client import get_backend_client
from apps.shell.pages import answer, next_page_url


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """Newest first. For HTMX: the filtered list, or with a cursor its next rows."""
    form, cursor = TenantFilterForm(request.GET), request.GET.get("cursor")
    form.full_clean()
    tenants = get_backend_client(request).staff.tenants(q=form.cleaned_data.get("q", ""), cursor=cursor)
    return answer(
        request,
        page="admin_panel/tenants.html",
        fragment="admin_panel/partials/tenant_rows.html" if cursor else "admin_panel/partials/tenants.html",
        context={"form": form, "tenants": tenants, "more_url": next_page_url(request, tenants.next_cursor)},
    )


@require_safe
def detail(request: HttpRequest, tenant_id: UUID) -> HttpResponse:
    found = get_backend_client(request).staff.tenant(tenant_id)
    return TemplateResponse(request, "admin_panel/tenant.html", {"tenant": found})
