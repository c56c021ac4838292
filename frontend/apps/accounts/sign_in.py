"""The steps that a sign-in and a sign-up share."""

from typing import cast

from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import services
from apps.accounts.models import User
from apps.backend.auth import IssuedToken
from apps.shell.client import TOKEN_SESSION_KEY, get_anonymous_client

TOKEN_NAME = "Web session"  # noqa: S105 - what the list of tokens calls it


def obtain_token(request: HttpRequest, *, username: str, password: str) -> IssuedToken:
    """Raises Invalid `bad_credentials`, RateLimited, BackendUnavailable."""
    return get_anonymous_client(request).auth.obtain_token(username=username, password=password, name=TOKEN_NAME)


def recognise(request: HttpRequest, issued: IssuedToken) -> User:
    """The local user of a granted token, by way of the authentication backend."""
    return cast("User", authenticate(request, issued=issued))


def keep_token(request: HttpRequest, *, user: User, issued: IssuedToken) -> None:
    """After the log-in, which has changed the session's key: the token goes in, the session ends when it ends."""
    request.session[TOKEN_SESSION_KEY] = issued.token
    request.session.set_expiry(issued.expires_at)
    services.fetch_profile(user=user, token=issued.token, now=timezone.now())
    services.tidy_up(now=timezone.now())
