"""How views name their limits: `limits = (Rule(LOGIN_ADDRESS, by_address, counts=("bad_credentials",)), ...)`.

REST framework's own throttles read a cache, add one and write it back: requests at the same moment pass together. So
only their hook is used, the counting is `apps.common.rate_limits`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.accounts.types import TokenKind
from apps.api.authentication import get_actor
from apps.billing.services.api_calls import count_call
from apps.common import clock, limits, rate_limits
from apps.common.rate_limits import Limit, network_of
from apps.observability.context import current_address
from apps.tenants.types import Bearer

if TYPE_CHECKING:
    # The class is among the defaults that this module itself reads while it is loaded.
    from rest_framework.views import APIView

_ATTRIBUTE: Final = "_counted_limits"
_MAX_FIELD_LENGTH: Final = 254


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit of a view's unsafe methods. `counts`: only answers with these error codes count; none named, all do."""

    limit: Limit
    key: Callable[[Request], str]
    counts: tuple[str, ...] = ()


def by_address(request: Request) -> str:  # noqa: ARG001 - the shape of every key
    """The network that the request truly came from."""
    return network_of(current_address())


def by_account(request: Request) -> str:
    """The person who is signed in."""
    return str(request.user.pk or "")


def by_tenant(request: Request) -> str:
    """The customer that the signed-in person belongs to."""
    return str(get_actor(request).tenant)


def by_field(name: str) -> Callable[[Request], str]:
    """What the body says in a field, in one spelling. A body without it is not counted: it can do nothing either."""

    def read(request: Request) -> str:
        value = request.data.get(name) if isinstance(request.data, Mapping) else None
        # The serializers take numbers for text, so a number is a spelling as well.
        return fold(str(value)) if isinstance(value, str | int | float) else ""

    return read


def fold(text: str) -> str:
    """One spelling of a name or an e-mail address, at least as forgiving as the look-up of people is.

    PostgreSQL compares capitals, and several small letters share one (i and the dotless i): hence both foldings.
    """
    return unicodedata.normalize("NFKC", text.strip()[:_MAX_FIELD_LENGTH]).upper().casefold()


# What views put after `limits =`.
PASSWORD_GUESSES: Final = (
    Rule(limits.LOGIN_ADDRESS, by_address, counts=("bad_credentials", "bad_code")),
    Rule(limits.LOGIN_ACCOUNT, by_field("username"), counts=("bad_credentials",)),
)
# The code's own limit is by account and lies where codes are checked.
CODE_GUESSES: Final = (Rule(limits.LOGIN_ADDRESS, by_address, counts=("bad_code",)),)
REAUTHENTICATIONS: Final = (
    Rule(limits.REAUTHENTICATION_ACCOUNT, by_account, counts=("bad_credentials", "bad_code", "invalid")),
)
SIGN_UPS: Final = (
    Rule(limits.SIGN_UP_ADDRESS, by_address),
    Rule(
        limits.PASSKEY_ADDRESS,
        by_address,
        counts=("passkey_invalid", "passkey_expired", "passkey_used", "passkey_revoked", "passkey_wrong_email"),
    ),
)
PASSWORD_RESETS: Final = (Rule(limits.PASSWORD_RESET_ADDRESS, by_address),)
LINKS: Final = (
    Rule(limits.LINK_ADDRESS, by_address, counts=("reset_link_invalid", "verification_invalid", "challenge_expired")),
)
EMAIL_ACTS: Final = (Rule(limits.EMAIL_ACCOUNT, by_account),)
EXPORTS: Final = (Rule(limits.EXPORT_ACCOUNT, by_account),)
JOBS: Final = (Rule(limits.JOBS_TENANT, by_tenant),)
TOPUPS: Final = (Rule(limits.TOPUP_TENANT, by_tenant),)
PAYMENT_CHECKS: Final = (Rule(limits.PAYMENT_CHECK_TENANT, by_tenant),)
PAYMENT_PAGES: Final = (Rule(limits.PAYMENT_PAGE_TENANT, by_tenant),)
REFUNDS: Final = (Rule(limits.REFUND_ACCOUNT, by_account),)


class DeclaredLimits(BaseThrottle):
    """REST framework's hook before each view: the general limits, then the rules that the view declares."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        _check_general(request)
        if request.method not in SAFE_METHODS:
            for rule in getattr(view, "limits", ()):
                _check_rule(request, rule)
        _count_call(request)
        return True


def _check_general(request: Request) -> None:
    if isinstance(request.auth, Bearer):
        rate_limits.check(limit=limits.API_TOKEN, key=str(request.auth.token_id))
    elif request.user and request.user.is_authenticated:
        rate_limits.check(limit=limits.API_TOKEN, key=by_account(request))
    else:
        rate_limits.check(limit=limits.API_ADDRESS, key=by_address(request))


def _count_call(request: Request) -> None:
    """What a program asks for by a personal token is metered, once it was let in."""
    bearer = request.auth
    if isinstance(bearer, Bearer) and bearer.kind is TokenKind.PERSONAL and bearer.grant_id is None:
        count_call(tenant=bearer.member.tenant, now=clock.now())


def _check_rule(request: Request, rule: Rule) -> None:
    key = rule.key(request)
    if not key:
        return
    rate_limits.check(limit=rule.limit, key=key)
    if rule.counts:
        counted: list[tuple[Rule, str]] = request._request.__dict__.setdefault(_ATTRIBUTE, [])  # noqa: SLF001
        counted.append((rule, key))


class GiveBackMiddleware:
    """Takes back what a rule counted in advance when the answer turns out not to be of the kind it counts."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        counted: list[tuple[Rule, str]] = request.__dict__.get(_ATTRIBUTE, [])
        for rule, key in counted:
            if _code_of(response) not in rule.counts:
                rate_limits.give_back(limit=rule.limit, key=key)
        return response


def _code_of(response: HttpResponse) -> str:
    data: Any = getattr(response, "data", None)
    return str(data.get("code", "")) if isinstance(data, Mapping) else ""
