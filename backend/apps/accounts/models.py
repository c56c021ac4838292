"""The identities: people and the tokens they act with."""

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from knox.models import AbstractAuthToken

from apps.accounts.types import ALL_SCOPES, TokenKind
from apps.common.ids import uuid7


def default_scopes() -> list[str]:
    return list(ALL_SCOPES)


class User(AbstractUser):  # type: ignore[django-manager-missing]  # the manager of knox is untyped
    """A person who can sign in. Name and e-mail are unique without regard to case."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    display_name = models.CharField(max_length=150, blank=True)
    email = models.EmailField(max_length=254)
    email_verified_at = models.DateTimeField(null=True, blank=True)
    # The address that the person wants instead, until its owner has proved it. It opens nothing before that.
    pending_email = models.EmailField(max_length=254, blank=True, default="")
    pending_email_at = models.DateTimeField(null=True, blank=True)

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
    kind = models.CharField(max_length=16, choices=TokenKind.choices, default=TokenKind.SESSION)
    scopes = ArrayField(models.CharField(max_length=16), default=default_scopes)
    name = models.CharField(max_length=80)
    last_used_at = models.DateTimeField(null=True, blank=True)
    # When the person last proved with this token who they are, and when a second factor was last part of it.
    authenticated_at = models.DateTimeField(null=True, blank=True)
    second_factor_at = models.DateTimeField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=400, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["user", "-created"])]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=TokenKind.values), name="accounts_apitoken_kind"),
        ]


class RevokedToken(models.Model):
    """The digest of a token that was ended before its time, kept until then: its use is an alarm."""

    digest = models.CharField(max_length=128, primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    public_id = models.UUIDField()
    revoked_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user"]), models.Index(fields=["expires_at"])]

    def __str__(self) -> str:
        return str(self.public_id)


class SeenDevice(models.Model):
    """A device that the person has signed in from; the first sign-in from another is told by mail."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    device = models.CharField(max_length=120)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "device"], name="accounts_seendevice_user_device")]

    def __str__(self) -> str:
        return self.device
