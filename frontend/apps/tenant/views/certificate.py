"""The certificate of an erasure, for whoever has its link: the person has no account any more."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from apps.shell.client import get_anonymous_client


@require_safe
@login_not_required
def certificate(request: HttpRequest, token: str) -> HttpResponse:
    found = get_anonymous_client(request).mydata.certificate(token)
    return _unseen(TemplateResponse(request, "tenant/certificate.html", {"certificate": found, "token": token}))


@require_safe
@login_not_required
def as_json(request: HttpRequest, token: str) -> HttpResponse:
    """As the backend says it: the SHA-256 over its content can be computed from this."""
    found: Any = get_anonymous_client(request).mydata.raw_certificate(token)
    response = JsonResponse(found, json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="erasure-certificate.json"'
    return _unseen(response)


def _unseen(response: HttpResponse) -> HttpResponse:
    """The address is the secret: no other site may hear of it."""
    response["Referrer-Policy"] = "no-referrer"
    return response
