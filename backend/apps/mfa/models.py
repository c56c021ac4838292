"""What people prove themselves with besides their password, and the challenges that ask for it."""

from typing import Final

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.common.ids import uuid7
from apps.mfa.types import Purpose

MAX_ATTEMPTS: Final = 5


def spent_once() -> pgtrigger.Trigger:
    """Refuses any change of a row that has been used: nothing makes it good for a second time."""
    return pgtrigger.Protect(
        name="spent_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__used_at__isnull=False)
    )


class TotpDevice(models.Model):
    """The authenticator app of a person. Both secrets are sealed; `pending_secret` waits for its first code."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    secret = models.TextField(blank=True)
    confirmed_at = models.DateTimeField(null=True)
    # The time step of the last code that was taken: that code and all before it are dead.
    last_used_step = models.BigIntegerField(default=0)
    pending_secret = models.TextField(blank=True)
    pending_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(secret="", confirmed_at__isnull=True) | (~Q(secret="") & Q(confirmed_at__isnull=False)),
                name="mfa_totpdevice_confirmed",
            ),
            models.CheckConstraint(
                condition=Q(pending_secret="", pending_at__isnull=True)
                | (~Q(pending_secret="") & Q(pending_at__isnull=False)),
                name="mfa_totpdevice_pending",
            ),
            models.CheckConstraint(condition=Q(last_used_step__gte=0), name="mfa_totpdevice_step"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="steps_go_forward",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__secret=pgtrigger.F("old__secret"))
                & pgtrigger.Q(new__last_used_step__lt=pgtrigger.F("old__last_used_step")),
            )
        ]

    def __str__(self) -> str:
        return f"authenticator app of {self.user_id}"


class RecoveryCode(models.Model):
    """One of ten codes that stand in for a lost factor; only the digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="mfa_recoverycode_user_digest")]
        triggers = [spent_once()]

    def __str__(self) -> str:
        return f"recovery code of {self.user_id}"


class SecurityKey(models.Model):
    """A registered WebAuthn authenticator. `public_key` is its COSE key as CBOR."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField(max_length=2048)
    sign_count = models.BigIntegerField()
    aaguid = models.UUIDField()
    transports = ArrayField(models.CharField(max_length=20), default=list)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user", "id"])]
        constraints = [
            models.CheckConstraint(condition=Q(sign_count__gte=0, sign_count__lt=2**32), name="mfa_securitykey_count"),
            models.CheckConstraint(condition=~Q(name=""), name="mfa_securitykey_name"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="counts_go_forward",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__sign_count__lt=pgtrigger.F("old__sign_count")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"


class Challenge(models.Model):
    """A question that waits for its answer: five minutes, five attempts, one success. Only the id's digest is kept."""

    digest = models.CharField(primary_key=True, max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    # What fido2 needs to check the answer against; null when the person has no security key.
    webauthn_state = models.JSONField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user", "expires_at"])]
        constraints = [
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="mfa_challenge_purpose"),
            models.CheckConstraint(condition=Q(attempts__lte=MAX_ATTEMPTS), name="mfa_challenge_attempts"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="mfa_challenge_expiry"),
        ]
        triggers = [
            spent_once(),
            pgtrigger.Protect(
                name="attempts_go_forward",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__attempts__lt=pgtrigger.F("old__attempts")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.user_id}"
