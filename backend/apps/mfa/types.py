"""Words of this app that others may use."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models


class Purpose(models.TextChoices):
    """What a challenge is good for; an answer to one is never taken for another."""

    SIGN_IN = "sign_in", "Sign in"
    REGISTER = "register", "Register a security key"
    REAUTHENTICATE = "reauthenticate", "Prove who is there once more"


class Method(models.TextChoices):
    """How a person can answer a challenge."""

    TOTP = "totp", "Code of an authenticator app"
    RECOVERY = "recovery", "Recovery code"
    WEBAUTHN = "webauthn", "Security key"


@dataclass(frozen=True, slots=True)
class ChallengeView:
    """An open challenge. `id` is the secret itself; `webauthn` holds the options of a browser's `credentials.get`."""

    id: str
    methods: tuple[Method, ...]
    webauthn: Mapping[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        """As the API shows it beside the refusal of a sign-in."""
        return {
            "id": self.id,
            "methods": [method.value for method in self.methods],
            "webauthn": None if self.webauthn is None else dict(self.webauthn),
        }


@dataclass(frozen=True, slots=True)
class KeyView:
    """A security key as its owner sees it."""

    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class FactorsView:
    """Everything that a person has set up. `is_required` says that they may not be without."""

    is_required: bool
    totp_confirmed_at: datetime | None
    recovery_codes_left: int
    security_keys: tuple[KeyView, ...]

    @property
    def is_totp_on(self) -> bool:
        return self.totp_confirmed_at is not None

    @property
    def is_on(self) -> bool:
        """Whether signing in asks for a second factor. Recovery codes alone are none: they stand in for one."""
        return self.is_totp_on or bool(self.security_keys)


@dataclass(frozen=True, slots=True)
class TotpSetup:
    """A secret for an authenticator app, in base32 and as an `otpauth:` address; shown once."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class KeySetup:
    """What a browser needs for `credentials.create`, and the challenge to give back with its answer."""

    challenge: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AddedKey:
    """A new security key, with recovery codes when it is the person's first factor."""

    key: KeyView
    recovery_codes: tuple[str, ...]
