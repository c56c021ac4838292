"""What the API itself must remember."""

from django.conf import settings
from django.db import models

from apps.common.ids import uuid7
from apps.common.tenancy import TenantOwned


class StoredAnswer(TenantOwned):
    """The first answer to an unsafe call with an idempotency key; a replay of the call returns it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField(blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="api_storedanswer_user_key"),
            models.CheckConstraint(condition=models.Q(status__gte=200, status__lt=400), name="api_storedanswer_status"),
        ]
        indexes = [models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.status} for {self.key}"
