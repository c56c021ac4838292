"""Local shadows of the backend's users, for sessions to belong to. The backend owns every fact here."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class UserManager(BaseUserManager["User"]):
    """Users come into being by signing in (`services.mirror_user`), never by a command of this service."""


class User(AbstractBaseUser):
    """A copy made at sign-in. Names are not unique here: a rename in the backend reaches this table only at sign-in."""

    id = models.UUIDField(primary_key=True, editable=False, help_text="The backend's id of the user.")
    username = models.CharField(max_length=150)
    email = models.EmailField(blank=True)
    is_backend_staff = models.BooleanField(default=False, help_text="Staff in the backend; gives no right here.")
    tenant_id = models.UUIDField(null=True)
    tenant_name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=20, blank=True)
    display_name = models.CharField(max_length=150, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    is_email_verified = models.BooleanField(default=True, help_text="False shows the reminder on every page.")
    deletion_scheduled_for = models.DateTimeField(null=True, help_text="Set shows the way back on every page.")
    mirrored_at = models.DateTimeField()

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "id"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.username

    @property
    def shown_name(self) -> str:
        return self.display_name or self.username

    @property
    def initials(self) -> str:
        words = self.shown_name.replace(".", " ").replace("_", " ").split()
        return "".join(word[0] for word in words[:2]).upper() or "?"


class PendingRevocation(models.Model):
    """A token that its owner has given back while the backend was away. `sealed_token` is encrypted, see `sealing`."""

    id: int
    sealed_token = models.TextField()
    queued_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["queued_at", "id"]

    def __str__(self) -> str:
        return f"Revocation queued {self.queued_at:%Y-%m-%d %H:%M}"
