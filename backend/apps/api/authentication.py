"""Who is asking: an API token, or the session of Django admin."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from apps.accounts.services.tokens import TOUCH_INTERVAL, note_refused, touch_token
from apps.accounts.types import ALL_SCOPES, TokenKind
from apps.api import support
from apps.common import clock, rate_limits, scopes
from apps.common.errors import Forbidden
from apps.common.limits import API_ADDRESS
from apps.common.rate_limits import network_of
from apps.mfa.selectors import has_second_factor
from apps.observability.context import current_address
from apps.tenants.selectors import find_bearer, find_member
from apps.tenants.types import Actor, Bearer, Member, SupportGrantInvalid

SCHEME: Final = "Token"
# Twice the length of a token: nothing longer is worth a digest.
_MAX_KEY_LENGTH: Final = 200


class TokenInvalid(exceptions.AuthenticationFailed):
    default_detail = "This token is not valid any more. Please sign in again."
    default_code = "token_invalid"


class TokenUser:
    """What `request.user` is behind a token: enough for REST framework and the log, without the model's fields."""

    is_authenticated: Final = True
    is_anonymous: Final = False
    is_active: Final = True

    def __init__(self, member: Member) -> None:
        self.pk = member.user_id
        self.username = member.username
        self.is_staff = member.is_staff


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Token <key>`, found by its digest in one query together with the person and the tenant."""

    def authenticate(self, request: Request) -> tuple[TokenUser, Bearer] | None:
        scheme, _, key = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        key = key.strip()
        if not key.isascii() or not 0 < len(key) <= _MAX_KEY_LENGTH:
            raise TokenInvalid
        now = clock.now()
        bearer = find_bearer(key=key, now=now)
        if bearer is None:
            # Nobody can guess a token; but each try costs a query, and those of a stranger are counted.
            rate_limits.check(limit=API_ADDRESS, key=network_of(current_address()))
            note_refused(key=key)
            raise TokenInvalid
        if bearer.token_last_used_at is None or now - bearer.token_last_used_at > TOUCH_INTERVAL:
            touch_token(public_id=bearer.token_id, now=now)
        if support.is_asked_for(request):
            with scopes.system_scope(scopes.SystemScope.AUTHENTICATION):
                bearer = support.borrow_view(request=request, bearer=bearer, now=now)
        scopes.bind_tenant(bearer.member.tenant)
        return TokenUser(bearer.member), bearer

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class SessionAuthentication(authentication.SessionAuthentication):
    """The session that `/api/auth/login/` or Django admin opened; unsafe calls need the CSRF token."""

    def authenticate(self, request: Request) -> Any:
        """Raises SupportGrantInvalid: a support grant is used with a token."""
        found = super().authenticate(request)
        if found is not None and support.is_asked_for(request):
            raise SupportGrantInvalid
        if found is not None:
            with scopes.system_scope(scopes.SystemScope.AUTHENTICATION):
                member = find_member(user_id=UUID(str(found[0].pk)))
            # An account without a tenant sees the rows of none.
            if member is not None:
                scopes.bind_tenant(member.tenant)
        return found


# Where the session of Django admin keeps when its person proved who they are, and when with a second factor.
SESSION_AUTHENTICATED_AT: Final = "ar_authenticated_at"
SESSION_SECOND_FACTOR: Final = "ar_second_factor"


@dataclass(frozen=True, slots=True)
class Proof:
    """What the caller has proved about themselves, and what they may do with it."""

    kind: TokenKind
    scopes: Sequence[str]
    authenticated_at: datetime | None
    has_second_factor: bool


def get_proof(request: Request) -> Proof:
    """The proof that came with the request of somebody who is signed in."""
    bearer = request.auth
    if isinstance(bearer, Bearer):
        return Proof(
            kind=bearer.kind,
            scopes=bearer.scopes,
            authenticated_at=bearer.authenticated_at,
            has_second_factor=bearer.second_factor_at is not None,
        )
    session = request._request.session  # noqa: SLF001
    stamp = session.get(SESSION_AUTHENTICATED_AT)
    return Proof(
        kind=TokenKind.SESSION,
        scopes=ALL_SCOPES,
        authenticated_at=datetime.fromisoformat(stamp) if stamp else None,
        has_second_factor=is_proved_session(request._request),  # noqa: SLF001
    )


def is_proved_session(request: HttpRequest) -> bool:
    """Whether the session of Django admin was opened with a second factor that the person still has.

    Unlike tokens these sessions cannot be ended from outside, so a factor that staff took away ends them here.
    """
    session = request.session
    if not (session.get(SESSION_AUTHENTICATED_AT) and session.get(SESSION_SECOND_FACTOR)):
        return False
    return has_second_factor(user_id=UUID(str(request.user.pk)))


def mark_session(request: HttpRequest, *, now: datetime, has_second_factor: bool | None = None) -> None:
    """Notes in the session of Django admin that its person has just proved who they are."""
    request.session[SESSION_AUTHENTICATED_AT] = now.isoformat()
    if has_second_factor is not None:
        request.session[SESSION_SECOND_FACTOR] = has_second_factor


def get_user_id(request: Request) -> UUID:
    """The person who is signed in."""
    return UUID(str(request.user.pk))


def find_token_id(request: Request) -> UUID | None:
    """The token that the request came with; None for the session of Django admin."""
    return request.auth.token_id if isinstance(request.auth, Bearer) else None


def get_member(request: Request) -> Member:
    """The person who is signed in; raises Forbidden for an account without a tenant."""
    if isinstance(request.auth, Bearer):
        return request.auth.member
    member = find_member(user_id=UUID(str(request.user.pk)))
    if member is None:
        raise Forbidden("This account belongs to no tenant.")
    return member


def get_actor(request: Request) -> Actor:
    """The person who is signed in, as services take one; with a support grant, the person whose view is borrowed."""
    actor = get_member(request).as_actor()
    return replace(actor, grant_id=request.auth.grant_id) if isinstance(request.auth, Bearer) else actor
