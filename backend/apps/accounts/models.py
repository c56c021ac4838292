"""The identities: people and the tokens they act with."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from knox.models import AbstractAuthToken

from apps.common.ids import uuid7


class User(AbstractUser):  # type: ignore[django-manager-missing]  # the manager of knox is untyped
    """A person who can sign in. Name and e-mail are unique without regard to case."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    display_name = models.CharField(max_length=150, blank=True)
    email = models.EmailField(max_length=254)
    email_verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("username"), name="accounts_user_username_folded"),
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_folded"),
            # A name that reads as somebody's address could stand in for it at login.
            models.CheckConstraint(condition=~models.Q(username__contains="@"), name="accounts_user_name_no_address"),
        ]

    def get_full_name(self) -> str:
        """What documents are signed with; the user name until the person has chosen another."""
        return self.display_name or self.username

    def get_short_name(self) -> str:
        return self.username


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # knox has no types
    """A token in use: only its digest is stored. `public_id` is what lists and revocation name it by."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(max_length=80)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["user", "-created"])]
