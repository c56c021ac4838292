"""Who may call what at all; what they may do with a thing is the domain's rule."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.types import WRITE, TokenKind
from apps.api.authentication import get_proof
from apps.common import clock, scopes
from apps.common.errors import Forbidden

if TYPE_CHECKING:
    # These are among the defaults that the module itself reads while it is loaded.
    from rest_framework.views import APIView


class ReadOnlyToken(Forbidden):
    code = "read_only_token"
    message = "This token may read only."


class SessionRequired(Forbidden):
    code = "session_required"
    message = "This needs a person who is signed in: a personal token is not enough."


class SecondFactorRequired(Forbidden):
    code = "second_factor_required"
    message = "This needs a sign-in with a second factor."


class ReauthenticationRequired(Forbidden):
    code = "reauthentication_required"
    message = "Please confirm with your password that it is you."


class CanWrite(BasePermission):
    """Lets a personal token change things only when it was made for that. Part of the default of every view."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method not in SAFE_METHODS and _is_signed_in(request) and WRITE not in get_proof(request).scopes:
            raise ReadOnlyToken
        return True


class IsSession(BasePermission):
    """A person who signed in, not a program with a personal token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return _is_signed_in(request) and check_session(request)


class IsFresh(BasePermission):
    """A person who proved who they are within the last REAUTHENTICATION_MINUTES."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return _is_signed_in(request) and check_session(request) and check_fresh(request)


class IsFreshToChange(BasePermission):
    """The same, for the calls of a view that change something; reading needs a session only."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not (_is_signed_in(request) and check_session(request)):
            return False
        return request.method in SAFE_METHODS or check_fresh(request)


class IsSessionToChange(BasePermission):
    """The same without the recent proof: a personal token may read, and changes nothing."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return _is_signed_in(request) and (request.method in SAFE_METHODS or check_session(request))


class IsStaff(BasePermission):
    """Members of staff, in a session that was opened with a second factor. Opens the metadata of all customers."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not (_is_signed_in(request) and request.user.is_staff and check_session(request)):
            return False
        if not get_proof(request).has_second_factor:
            raise SecondFactorRequired
        scopes.bind_system(scopes.SystemScope.STAFF)
        return True


def check_fresh(request: Request) -> bool:
    """True, or raises ReauthenticationRequired: for views where only some calls are dangerous."""
    proved_at = get_proof(request).authenticated_at
    if proved_at is None or clock.now() - proved_at > timedelta(minutes=settings.REAUTHENTICATION_MINUTES):
        raise ReauthenticationRequired
    return True


def _is_signed_in(request: Request) -> bool:
    return bool(request.user and request.user.is_authenticated)


def check_session(request: Request) -> bool:
    """True, or raises SessionRequired: for views where only some calls need a person."""
    if get_proof(request).kind != TokenKind.SESSION:
        raise SessionRequired
    return True
