"""Signing in by name or e-mail."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Q
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.selectors import match_folded


class UsernameOrEmailBackend(ModelBackend):
    """Accepts the user name or the e-mail address, without regard to case."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if not username or password is None:
            return None
        user = (
            User.objects.filter(
                Q(match_folded(field="username", value=username)) | Q(match_folded(field="email", value=username))
            )
            .order_by("date_joined")
            .first()
        )
        if user is None:
            # The same work as for a known name, so that the answer's time tells nothing.
            User().set_password(password)
            return None
        if user.check_password(password) and self.user_can_authenticate(user):
            return user
        return None
