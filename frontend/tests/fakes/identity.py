"""The fake backend's people: who they are, how they come in, and the tokens that speak for them."""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes import shapes
from tests.fakes.server import Answer, FakeServer, Received, Reply
from tests.fakes.shapes import Json

GOOD_CODE = "123456"
RECOVERY_CODES = [f"{number}abcd-efgh{number}" for number in range(10)]
PASSKEY_REFUSALS = {
    "used": ("passkey_used", "Passkey has already been used"),
    "expired": ("passkey_expired", "Passkey has expired"),
    "revoked": ("passkey_revoked", "Passkey has been revoked"),
    "wrong-email": ("passkey_wrong_email", "This passkey is for another e-mail address"),
}
PersonAnswer = Callable[[Received, "re.Match[str]", str], Reply]


def refuse(status: int, code: str, message: str, fields: Json | None = None, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, body=shapes.error(code, message, fields), headers=named)


class IdentityFake(FakeServer):
    """`add_user` makes a person; `factors` has what each has set up; `is_stale` asks for a fresh proof of identity;
    whoever is in `closed` has a deactivated account."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.users: dict[str, Json] = {}
        self.passwords: dict[str, str] = {}
        self.profiles: dict[str, Json] = {}
        self.tokens: dict[str, str] = {}
        self.factors: dict[str, Json] = {}
        self.challenges: dict[str, str] = {}
        self.closed: set[str] = set()
        self.is_stale = False
        self.passkeys = {"good-passkey-0001": "active", **{f"{state}-passkey": state for state in PASSKEY_REFUSALS}}
        self.route("POST", "/api/auth/token/", self._token)
        self.route("POST", "/api/auth/token/second-factor/", self._complete)
        self.route("POST", "/api/auth/signup/", self._sign_up)
        self._as_person("POST", "/api/auth/logout/", self._log_out)
        self._as_person("POST", "/api/auth/logout-all/", self._log_out_all)
        self._as_person("POST", "/api/auth/reauthenticate/", self._reauthenticate)

    def add_user(self, username: str = "ada", password: str = "correct horse", **over: Any) -> Json:
        account = shapes.user(username, **over)
        self.users[username] = account
        self.passwords[username] = password
        self.profiles[username] = shapes.me(account)
        self.factors[username] = shapes.factors(is_required=account["is_staff"])
        return account

    def issue_token(self, username: str = "ada") -> str:
        token = f"ar_{secrets.token_urlsafe(24)}"
        self.tokens[token] = username
        return token

    def _signed_in(self, method: str, pattern: str, answer: Answer) -> None:
        self._as_person(method, pattern, lambda received, match, _name: answer(received, match))

    def _as_person(self, method: str, pattern: str, answer: PersonAnswer, *, is_dangerous: bool = False) -> None:
        """A route for the holder of a live token; dangerous ones refuse while `is_stale`."""

        def checked(received: Received, match: re.Match[str]) -> Reply:
            username = self.tokens.get(received.token)
            if username is None or username in self.closed:
                return refuse(401, "token_invalid", "This token is not valid.")
            if "x-support-grant" in received.headers and (refusal := self._check_grant(received, username)):
                return refusal
            if is_dangerous and self.is_stale:
                return refuse(403, "reauthentication_required", "Please confirm your password.")
            return answer(received, match, username)

        self.route(method, pattern, checked)

    def _check_grant(self, _received: Received, _username: str) -> Reply | None:
        return refuse(403, "support_grant_invalid", "This grant does not open that.")

    def _granted(self, username: str) -> Reply:
        expires_at = shapes.instant(datetime.now(UTC) + timedelta(days=14))
        return Reply(body={"token": self.issue_token(username), "expires_at": expires_at, "user": self.users[username]})

    def _token(self, received: Received, _match: re.Match[str]) -> Reply:
        login, password = received.body["username"], received.body["password"]
        found = next((name for name, user in self.users.items() if login in {name, user["email"]}), None)
        if found is None or found in self.closed or self.passwords[found] != password:
            return refuse(400, "bad_credentials", "The username or password is not right.")
        self.is_stale = False
        if not self.factors[found]["is_on"]:
            return self._granted(found)
        challenge = f"challenge-{secrets.token_urlsafe(24)}"
        self.challenges[challenge] = found
        body = shapes.error("second_factor_required", "Please confirm with your second factor that it is you.")
        body["challenge"] = shapes.challenge(challenge, has_keys=bool(self.factors[found]["security_keys"]))
        return Reply(status=403, body=body)

    def _complete(self, received: Received, _match: re.Match[str]) -> Reply:
        username = self.challenges.get(received.body["challenge"])
        if username is None:
            return refuse(400, "challenge_expired", "This took too long or was tried too often. Please start again.")
        if "credential" not in received.body and received.body["code"] not in {GOOD_CODE, *RECOVERY_CODES}:
            return refuse(400, "bad_code", "This code is not right, or it was used already.", {"code": ["Wrong."]})
        del self.challenges[received.body["challenge"]]
        return self._granted(username)

    def _sign_up(self, received: Received, _match: re.Match[str]) -> Reply:
        sent = received.body
        state = self.passkeys.get(sent["passkey"])
        if state != "active":
            code, message = PASSKEY_REFUSALS.get(state or "", ("passkey_invalid", "Passkey is not valid"))
            return refuse(400, code, message)
        if sent["username"] in self.users:
            return refuse(400, "invalid", "Please check the form.", {"username": ["This username is taken."]})
        account = self.add_user(sent["username"], sent["password"], email=sent["email"])
        self.passkeys[sent["passkey"]] = "used"
        return Reply(status=201, body={"message": "Signup successful", "user": account})

    def _log_out(self, received: Received, _match: re.Match[str], _username: str) -> Reply:
        del self.tokens[received.token]
        return Reply(status=204)

    def _log_out_all(self, _received: Received, _match: re.Match[str], username: str) -> Reply:
        self.end_tokens(username)
        return Reply(status=204)

    def end_tokens(self, username: str, *, but: str = "") -> None:
        self.tokens = {token: name for token, name in self.tokens.items() if name != username or token == but}

    def _reauthenticate(self, received: Received, _match: re.Match[str], username: str) -> Reply:
        if received.body["password"] != self.passwords[username]:
            return refuse(400, "bad_credentials", "The password is not right.")
        self.is_stale = False
        return Reply(body={"until": shapes.instant(datetime.now(UTC) + timedelta(minutes=15))})
