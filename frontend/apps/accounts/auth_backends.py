"""Django's view of a sign-in that the backend has granted."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import services
from apps.accounts.models import User
from apps.backend.auth import IssuedToken


class MirroredUserBackend(BaseBackend):
    """Believes an issued token and nothing else: passwords are the backend's business."""

    def authenticate(
        self, request: HttpRequest | None, issued: IssuedToken | None = None, **credentials: Any
    ) -> User | None:
        if issued is None:
            return None
        return services.mirror_user(account=issued.user, now=timezone.now())

    def get_user(self, user_id: UUID | str) -> User | None:
        return User.objects.filter(pk=user_id).first()
