"""What a person signs in with besides the password."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.backend.pages import read
from apps.backend.transport import Call, Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Totp:
    is_on: bool
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityKey:
    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """`is_required`: this person may not be without (staff)."""

    is_on: bool
    is_required: bool
    totp: Totp
    recovery_codes_left: int
    security_keys: tuple[SecurityKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpSecret:
    """`secret` in base32 to type, `uri` for a QR code."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOptions:
    """`options` goes to the browser's `credentials.create` as it is; `challenge` comes back with the answer."""

    challenge: str
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _RecoveryCodes:
    """Empty when the person keeps codes already."""

    recovery_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SecondFactorApi:
    """Every change raises ReauthenticationRequired when the last proof of identity is too old."""

    caller: Caller

    def get(self) -> Factors:
        return read(Factors, self.caller.send(Call(method="GET", path="/api/auth/second-factor/")))

    def begin_totp(self) -> TotpSecret:
        """A new secret, which counts for nothing until it is confirmed."""
        return read(TotpSecret, self._send("POST", "totp/"))

    def confirm_totp(self, *, code: str) -> tuple[str, ...]:
        """Recovery codes when this is the first factor. Raises Invalid `bad_code`."""
        return read(_RecoveryCodes, self._send("POST", "totp/confirm/", {"code": code})).recovery_codes

    def remove_totp(self) -> None:
        """Raises Conflict `last_factor_of_staff`."""
        self._send("DELETE", "totp/")

    def renew_recovery_codes(self) -> tuple[str, ...]:
        """Ten new ones; the old ones end."""
        return read(_RecoveryCodes, self._send("POST", "recovery-codes/")).recovery_codes

    def begin_key(self) -> KeyOptions:
        return read(KeyOptions, self._send("POST", "keys/options/"))

    def add_key(self, *, challenge: str, name: str, credential: Mapping[str, Any]) -> tuple[str, ...]:
        """Recovery codes when this is the first factor. Raises Invalid `challenge_expired` and others."""
        payload = {"challenge": challenge, "name": name, "credential": dict(credential)}
        return read(_RecoveryCodes, self._send("POST", "keys/", payload)).recovery_codes

    def rename_key(self, key_id: UUID, *, name: str) -> None:
        self._send("PATCH", f"keys/{key_id}/", {"name": name})

    def remove_key(self, key_id: UUID) -> None:
        """Raises Conflict `last_factor_of_staff`."""
        self._send("DELETE", f"keys/{key_id}/")

    def _send(self, method: str, path: str, payload: Mapping[str, Any] | None = None) -> Any:
        return self.caller.send(Call(method=method, path=f"/api/auth/second-factor/{path}", payload=payload))
