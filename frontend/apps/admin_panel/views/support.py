"""What people let support see right now."""

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from apps.shell.client import get_backend_client
from apps.shell.pages import next_page_url


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    grants = get_backend_client(request).support.open_to_staff(cursor=request.GET.get("cursor"))
    context = {"grants": grants, "more_url": next_page_url(request, grants.next_cursor)}
    return TemplateResponse(request, "admin_panel/support.html", context)
