"""The backend's client for a request: one transport a process, the person's token from the session."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest

from apps.backend.client import BackendClient
from apps.backend.errors import NotAuthenticated
from apps.backend.transport import Transport
from apps.shell.requests import request_id_of
from apps.shell.visitors import current_request_id, current_visitor

TOKEN_SESSION_KEY = "backend_token"  # noqa: S105 - the name of a place, not a secret


@cache
def transport_to(base_url: str) -> Transport:
    """The process-wide transport; made on first use, so after the server has forked its workers."""
    return Transport(base_url=base_url)


def get_backend_client(request: HttpRequest, *, support_grant: str = "") -> BackendClient:
    """A client that acts for the signed-in person; raises NotAuthenticated when the session has no token.

    With the id of a `support_grant` it only reads, and sees what the person who gave the grant sees.
    """
    token = request.session.get(TOKEN_SESSION_KEY, "")
    if not token:
        raise NotAuthenticated("Please sign in.", code="not_authenticated", request_id=request_id_of(request))
    return client_with_token(token, request_id=request_id_of(request), support_grant=support_grant)


def get_anonymous_client(request: HttpRequest) -> BackendClient:
    """A client for sign-in and sign-up, when there is no token yet."""
    return client_with_token("", request_id=request_id_of(request))


def client_with_token(token: str, *, request_id: str = "", support_grant: str = "") -> BackendClient:
    """A client for a token by itself; while a request is under way, on behalf of whoever sent it."""
    return BackendClient(
        transport=transport_to(settings.BACKEND_BASE_URL),
        token=token,
        request_id=request_id or current_request_id(),
        visitor=current_visitor(),
        support_grant=support_grant,
    )
