"""Sign-in, sign-up, passwords, the e-mail address, and the end of a token."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.backend.errors import SecondFactorRequired
from apps.backend.pages import read
from apps.backend.transport import Call, Caller

# Signing in hashes a password, which is slow on purpose.
SIGN_IN_DEADLINE = 10.0
# A person who leaves must not wait for a backend that hangs.
REVOKE_DEADLINE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user as the backend knows it, with the tenant that the user works in."""

    id: UUID
    username: str
    email: str
    is_staff: bool
    tenant: Tenant
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    token: str
    expires_at: datetime
    user: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What a sign-in with a second factor waits for. `id` is a secret; `webauthn` goes to the browser as it is."""

    id: str
    methods: tuple[str, ...]
    webauthn: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedEmail:
    email: str
    is_verified: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvenUntil:
    """How long dangerous acts are open after a proof of identity."""

    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _SignedUp:
    user: Account


@dataclass(frozen=True, slots=True)
class AuthApi:
    caller: Caller

    def obtain_token(self, *, username: str, password: str, name: str) -> IssuedToken:
        """Raises Invalid with code `bad_credentials`, SecondFactorRequired with a challenge, RateLimited."""
        payload = {"username": username, "password": password, "name": name}
        call = Call(method="POST", path="/api/auth/token/", payload=payload, deadline=SIGN_IN_DEADLINE)
        return read(IssuedToken, self.caller.send(call))

    def answer_challenge(
        self, *, challenge: str, name: str, code: str = "", credential: Mapping[str, Any] | None = None
    ) -> IssuedToken:
        """Raises Invalid: `bad_code`, or `challenge_expired` when it is used, too old or tried too often."""
        answer: dict[str, Any] = {"credential": dict(credential)} if credential is not None else {"code": code}
        payload = {"challenge": challenge, "name": name, **answer}
        call = Call(method="POST", path="/api/auth/token/second-factor/", payload=payload, deadline=SIGN_IN_DEADLINE)
        return read(IssuedToken, self.caller.send(call))

    def sign_up(self, *, username: str, email: str, password: str, passkey: str, idempotency_key: str) -> Account:
        """Raises Invalid: a code `passkey_...` tells of the invite passkey, `invalid` has fields."""
        call = Call(
            method="POST",
            path="/api/auth/signup/",
            payload={"username": username, "email": email, "password": password, "passkey": passkey},
            idempotency_key=idempotency_key,
            deadline=SIGN_IN_DEADLINE,
        )
        return read(_SignedUp, self.caller.send(call)).user

    def log_out(self) -> None:
        """Ends the caller's token; raises NotAuthenticated when it is dead already."""
        self.caller.send(Call(method="POST", path="/api/auth/logout/", deadline=REVOKE_DEADLINE))

    def log_out_everywhere(self) -> None:
        """Ends all tokens of the caller's user."""
        self.caller.send(Call(method="POST", path="/api/auth/logout-all/"))

    def change_password(self, *, current_password: str, new_password: str) -> None:
        """All other tokens of the person end. Raises Invalid with fields."""
        payload = {"current_password": current_password, "new_password": new_password}
        self.caller.send(
            Call(method="POST", path="/api/auth/password/change/", payload=payload, deadline=SIGN_IN_DEADLINE)
        )

    def request_password_reset(self, *, email: str) -> None:
        """The answer never tells whether there is such an account."""
        self.caller.send(Call(method="POST", path="/api/auth/password/reset/", payload={"email": email}))

    def reset_password(self, *, uid: str, token: str, password: str) -> None:
        """All tokens of the person end. Raises Invalid: `reset_link_invalid`, or fields."""
        payload = {"uid": uid, "token": token, "password": password}
        self.caller.send(
            Call(method="POST", path="/api/auth/password/reset/confirm/", payload=payload, deadline=SIGN_IN_DEADLINE)
        )

    def verify_email(self, *, key: str) -> VerifiedEmail:
        """Raises Invalid `verification_invalid`."""
        call = Call(method="POST", path="/api/auth/email/verify/", payload={"key": key})
        return read(VerifiedEmail, self.caller.send(call))

    def resend_verification(self) -> None:
        self.caller.send(Call(method="POST", path="/api/auth/email/verify/resend/"))

    def change_email(self, *, email: str) -> None:
        """Begins a change, which the new address confirms. Raises Invalid, ReauthenticationRequired."""
        self.caller.send(Call(method="POST", path="/api/auth/email/change/", payload={"email": email}))

    def drop_email_change(self) -> None:
        self.caller.send(Call(method="DELETE", path="/api/auth/email/change/"))

    def reauthenticate(self, *, password: str) -> ProvenUntil:
        """Raises Invalid `bad_credentials`, RateLimited."""
        call = Call(
            method="POST", path="/api/auth/reauthenticate/", payload={"password": password}, deadline=SIGN_IN_DEADLINE
        )
        return read(ProvenUntil, self.caller.send(call))


def read_challenge(error: SecondFactorRequired) -> Challenge:
    """The challenge of a sign-in that waits for a second factor; raises BackendUnavailable when there is none."""
    return read(Challenge, error.challenge)
