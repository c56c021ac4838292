"""Sign-in, sign-up and the end of a token."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

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
class _SignedUp:
    user: Account


@dataclass(frozen=True, slots=True)
class AuthApi:
    caller: Caller

    def obtain_token(self, *, username: str, password: str, name: str) -> IssuedToken:
        """Raises Invalid with code `bad_credentials`, RateLimited."""
        payload = {"username": username, "password": password, "name": name}
        call = Call(method="POST", path="/api/auth/token/", payload=payload, deadline=SIGN_IN_DEADLINE)
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
