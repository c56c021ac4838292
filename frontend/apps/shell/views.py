"""Pages that belong to no feature: health, errors, the way to the backend's admin."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from apps.shell.failures import CSRF, FORBIDDEN, NOT_FOUND, FailurePage, failure_response

TOO_MANY = FailurePage(
    status=429,
    icon="clock-pause",
    title="One moment, please",
    text="Too many tries in a short time. Wait a few minutes, then try again.",
)
TOO_LARGE = FailurePage(
    status=413,
    icon="alert-circle",
    title="This is too much at once",
    text="A form takes about a million characters. Go back, what you typed is still there, and make it shorter.",
)
UNREADABLE = FailurePage(
    status=400, icon="alert-circle", title="That cannot be done", text="This request cannot be understood."
)


@require_safe
@login_not_required
def health(_request: HttpRequest) -> JsonResponse:
    """The process lives. Asks neither the database nor the backend: their absence is not cured by a restart here."""
    return JsonResponse({"status": "ok"})


@require_safe
def django_admin(_request: HttpRequest) -> HttpResponseRedirect:
    """The backend's own admin, which asks for its own sign-in."""
    return HttpResponseRedirect(f"{settings.BACKEND_PUBLIC_URL}/admin/")


@login_not_required
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django names it
    return failure_response(request, NOT_FOUND)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What Django refuses before any view: a body beyond the limit, an unknown host."""
    return failure_response(request, TOO_LARGE if isinstance(exception, RequestDataTooBig) else UNREADABLE)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django names it
    return failure_response(request, FORBIDDEN)


@login_not_required
def broken(_request: HttpRequest) -> HttpResponse:
    """Rendered without the request: whatever broke (the database, say) must not break this page as well."""
    return HttpResponse(render_to_string("shell/broken.html"), status=500)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django names it
    return failure_response(request, CSRF)


@login_not_required
def too_many_requests(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django names it
    """allauth's limits on the sign-in form end here."""
    return failure_response(request, TOO_MANY)
