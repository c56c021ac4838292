"""allauth's hooks: sign-up is not its business, and a sign-out gives the token back."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import services
from apps.shell.client import TOKEN_SESSION_KEY
from apps.shell.requests import is_own_path, request_id_of
from apps.shell.visitors import client_address


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up runs through the invite passkey page alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Only paths of our own, not even our own host written out: a `next` never needs more."""
        return bool(url) and is_own_path(str(url))

    def get_client_ip(self, request: HttpRequest) -> str:
        """allauth's own reading answers a header that is too short with a crash."""
        return client_address(request) or "unknown"

    def logout(self, request: HttpRequest) -> None:
        token = request.session.get(TOKEN_SESSION_KEY, "")
        super().logout(request)
        if token:
            services.end_token(token=token, now=timezone.now(), request_id=request_id_of(request))
        services.revoke_pending(limit=services.REVOCATIONS_IN_PASSING)
