"""Payments and the documents about them; the plans."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.backend.errors import BackendUnavailable, Conflict, Invalid
from apps.backend.together import together
from apps.billing.leaving import leave_for, say_why
from apps.shell.client import get_backend_client
from apps.shell.files import pass_on
from apps.shell.pages import answer, lead_to, mint_key, read_key

# Each list of the page has a cursor of its own.
_DOCUMENTS: Final = "documents"


@require_safe
def payments(request: HttpRequest) -> HttpResponse:
    """Both lists; for HTMX the next rows of the one whose cursor it sends."""
    client = get_backend_client(request)
    cursors = {name: request.GET.get(name) for name in ("cursor", _DOCUMENTS)}
    paid, documents = together(
        lambda: client.payments.list(cursor=cursors["cursor"]),
        lambda: client.payments.documents(cursor=cursors[_DOCUMENTS]),
    )
    rows = "document_rows" if cursors[_DOCUMENTS] else "payment_rows"
    context = {"payments": paid, "documents": documents, "key": mint_key()}
    return answer(request, page="billing/payments.html", fragment=f"billing/partials/{rows}.html", context=context)


@require_POST
def cancel(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """Give up a payment that was not made; when it is too late the page says how it stands."""
    try:
        get_backend_client(request).payments.cancel(payment_id, idempotency_key=read_key(request))
    except (Conflict, BackendUnavailable) as error:
        messages.warning(request, say_why(error))
    else:
        messages.success(request, "The payment is canceled. Nothing was charged.")
    return lead_to(request, resolve_url("billing:payments"))


@require_safe
def document_pdf(request: HttpRequest, document_id: UUID) -> HttpResponseBase:
    """The PDF, passed on as it comes."""
    return pass_on(get_backend_client(request).payments.document_pdf(document_id))


@require_http_methods(["GET", "HEAD", "POST"])
def plans(request: HttpRequest) -> HttpResponse:
    """What the plans cost; a POST leads to the payment page of one."""
    client = get_backend_client(request)
    if request.method == "POST":
        return _subscribe(request)
    listed, profile, me = together(client.billing.plans, client.billing.profile, client.me.get)
    context = {"plans": listed, "profile": profile, "can_edit": me.role == "owner", "key": mint_key()}
    return TemplateResponse(request, "billing/plans.html", context)


def _subscribe(request: HttpRequest) -> HttpResponse:
    plan = request.POST.get("plan", "")[:40]
    try:
        started = get_backend_client(request).payments.start_subscription(plan=plan, idempotency_key=read_key(request))
        return leave_for(request, started.checkout_url)
    except (Invalid, Conflict, BackendUnavailable) as error:
        messages.warning(request, say_why(error))
    return lead_to(request, resolve_url("billing:plans"))
