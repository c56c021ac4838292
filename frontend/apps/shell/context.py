"""What every template may use."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from apps.shell.last_status import find_last_status
from apps.shell.navigation import navigation_for


def shell(request: HttpRequest) -> dict[str, Any]:
    """`csp_nonce` for inline scripts; for the signed-in also `navigation` and `last_status`, computed when used."""
    context: dict[str, Any] = {"csp_nonce": getattr(request, "csp_nonce", None)}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        is_staff = getattr(user, "is_backend_staff", False)
        context["navigation"] = SimpleLazyObject(lambda: navigation_for(path=request.path, is_staff=is_staff))
        context["last_status"] = SimpleLazyObject(lambda: find_last_status(user_id=str(user.pk)))
    return context
