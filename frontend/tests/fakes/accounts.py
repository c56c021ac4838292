"""The fake backend's side of what people do about their own accounts."""

import re
from typing import Any

from tests.fakes import shapes
from tests.fakes.identity import GOOD_CODE, RECOVERY_CODES, IdentityFake, refuse
from tests.fakes.server import Received, Reply
from tests.fakes.shapes import Json

GOOD_RESET = ("good-uid", "good-token")
GOOD_KEY = "good-verification-key"
FACTOR = "/api/auth/second-factor/"
_ID = "(?P<id>[0-9a-f-]{36})/"
Match = re.Match[str]


class AccountFake(IdentityFake):
    """`sessions` and `personal_tokens` are lists to fill; `pending_totp` names who is setting up an app."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.sessions: list[Json] = []
        self.personal_tokens: list[Json] = []
        self.pending_totp: set[str] = set()
        self._as_person("GET", "/api/me/", lambda _got, _match, name: Reply(body=self._me(name)))
        self._as_person("PATCH", "/api/me/", self._change_me)
        self._route_passwords_and_email()
        self._route_factors()
        self._as_person("GET", "/api/auth/sessions/", lambda *_: Reply(body=[shapes.session(), *self.sessions]))
        self._as_person("DELETE", f"/api/auth/sessions/{_ID}", self._remover("sessions"))
        self._as_person("GET", "/api/auth/tokens/", lambda *_: Reply(body=self.personal_tokens))
        self._as_person("POST", "/api/auth/tokens/", self._create_token, is_dangerous=True)
        self._as_person("DELETE", f"/api/auth/tokens/{_ID}", self._remover("personal_tokens"))

    def _route_passwords_and_email(self) -> None:
        sent = Reply(status=202, body={"message": "A mail is on its way."})
        self._as_person("POST", "/api/auth/password/change/", self._change_password)
        self.route("POST", "/api/auth/password/reset/", lambda *_: sent)
        self.route("POST", "/api/auth/password/reset/confirm/", self._reset_password)
        self.route("POST", "/api/auth/email/verify/", self._verify)
        self._as_person("POST", "/api/auth/email/verify/resend/", lambda *_: sent)
        self._as_person("POST", "/api/auth/email/change/", self._change_email, is_dangerous=True)
        self._as_person("DELETE", "/api/auth/email/change/", self._drop_email)

    def _route_factors(self) -> None:
        secret = {"secret": "JBSWY3DPEHPK3PXP", "uri": "otpauth://totp/AfterResume:ada?secret=JBSWY3DPEHPK3PXP"}
        fresh = {"is_dangerous": True}
        self._as_person("GET", FACTOR, lambda _got, _match, name: Reply(body=self.factors[name]))
        self._as_person("POST", f"{FACTOR}totp/", lambda *_: Reply(body=secret), **fresh)
        self._as_person("POST", f"{FACTOR}totp/confirm/", self._confirm_totp, **fresh)
        self._as_person("DELETE", f"{FACTOR}totp/", self._remove_totp, **fresh)
        renewed = Reply(body={"recovery_codes": RECOVERY_CODES})
        self._as_person("POST", f"{FACTOR}recovery-codes/", lambda *_: renewed, **fresh)
        options = {"challenge": "key-challenge", "options": shapes.creation_options()}
        self._as_person("POST", f"{FACTOR}keys/options/", lambda *_: Reply(body=options), **fresh)
        self._as_person("POST", f"{FACTOR}keys/", self._add_key, **fresh)
        self._as_person("PATCH", f"{FACTOR}keys/{_ID}", self._rename_key, **fresh)
        self._as_person("DELETE", f"{FACTOR}keys/{_ID}", self._remove_key, **fresh)

    # --- Profile, password, address

    def _me(self, username: str) -> Json:
        return self.profiles[username] | {name: self.users[username][name] for name in ("email", "is_staff")}

    def _change_me(self, received: Received, _match: Match, username: str) -> Reply:
        profile = self.profiles[username]["profile"]
        profile["notifications"] |= received.body.pop("notifications", {})
        profile |= received.body
        return Reply(body=self._me(username))

    def _change_password(self, received: Received, _match: Match, username: str) -> Reply:
        if received.body["current_password"] != self.passwords[username]:
            fields = {"current_password": ["This is not your password."]}
            return refuse(400, "bad_credentials", "Please check the form.", fields)
        self.passwords[username] = received.body["new_password"]
        self.end_tokens(username, but=received.token)
        return Reply(status=204)

    def _reset_password(self, received: Received, _match: Match) -> Reply:
        if (received.body["uid"], received.body["token"]) != GOOD_RESET:
            return refuse(400, "reset_link_invalid", "This link is not good any more.")
        if len(received.body["password"]) < 10:
            return refuse(400, "invalid", "Please check the form.", {"password": ["This password is too short."]})
        self.passwords["ada"] = received.body["password"]
        self.end_tokens("ada")
        return Reply(status=204)

    def _verify(self, received: Received, _match: Match) -> Reply:
        if received.body["key"] != GOOD_KEY:
            return refuse(400, "verification_invalid", "This link is not good any more.")
        mine = self.profiles["ada"]
        self.users["ada"]["email"] = mine["pending_email"] or self.users["ada"]["email"]
        mine |= {"is_email_verified": True, "pending_email": ""}
        return Reply(body={"email": self.users["ada"]["email"], "is_verified": True})

    def _change_email(self, received: Received, _match: Match, username: str) -> Reply:
        self.profiles[username]["pending_email"] = received.body["email"]
        return Reply(status=202, body={"message": "A mail is on its way."})

    def _drop_email(self, _received: Received, _match: Match, username: str) -> Reply:
        self.profiles[username]["pending_email"] = ""
        return Reply(status=204)

    # --- Second factors

    def set_totp(self, username: str = "ada", *, is_on: bool = True) -> None:
        mine = self.factors[username]
        mine["totp"] = {"is_on": is_on, "confirmed_at": shapes.instant() if is_on else None}
        mine["is_on"] = is_on or bool(mine["security_keys"])
        mine["recovery_codes_left"] = 10 if mine["is_on"] else 0

    def _confirm_totp(self, received: Received, _match: Match, username: str) -> Reply:
        if received.body["code"] != GOOD_CODE:
            return refuse(400, "bad_code", "This code is not right.", {"code": ["This code is not right."]})
        codes = [] if self.factors[username]["is_on"] else RECOVERY_CODES
        self.set_totp(username)
        return Reply(body={"recovery_codes": codes})

    def _remove_totp(self, _received: Received, _match: Match, username: str) -> Reply:
        if self._is_last(username):
            return refuse(409, "last_factor_of_staff", "Staff need a second factor. Add another one first.")
        self.set_totp(username, is_on=False)
        return Reply(status=204)

    def _is_last(self, username: str) -> bool:
        mine = self.factors[username]
        return bool(mine["is_required"] and mine["totp"]["is_on"] + len(mine["security_keys"]) == 1)

    def _add_key(self, received: Received, _match: Match, username: str) -> Reply:
        if received.body["challenge"] != "key-challenge":
            return refuse(400, "challenge_expired", "This took too long. Please start again.")
        mine = self.factors[username]
        codes = [] if mine["is_on"] else RECOVERY_CODES
        made = shapes.security_key(received.body["name"])
        mine["security_keys"].append(made)
        mine |= {"is_on": True, "recovery_codes_left": 10}
        return Reply(status=201, body=made | {"recovery_codes": codes})

    def _rename_key(self, received: Received, match: Match, username: str) -> Reply:
        found = next((key for key in self.factors[username]["security_keys"] if key["id"] == match["id"]), None)
        if found is None:
            return refuse(404, "not_found", "There is no such key.")
        found["name"] = received.body["name"]
        return Reply(body=found)

    def _remove_key(self, _received: Received, match: Match, username: str) -> Reply:
        if self._is_last(username):
            return refuse(409, "last_factor_of_staff", "Staff need a second factor. Add another one first.")
        mine = self.factors[username]
        mine["security_keys"] = [key for key in mine["security_keys"] if key["id"] != match["id"]]
        mine["is_on"] = bool(mine["security_keys"]) or mine["totp"]["is_on"]
        return Reply(status=204)

    # --- Sessions and tokens

    def _create_token(self, received: Received, _match: Match, _username: str) -> Reply:
        if len(self.personal_tokens) >= 50:
            return refuse(409, "too_many_tokens", "Fifty tokens are as many as an account can have.")
        made = shapes.personal_token(name=received.body["name"], scopes=received.body["scopes"])
        self.personal_tokens.insert(0, made)
        return Reply(status=201, body=made | {"token": "arp_a-fresh-personal-token"})

    def _remover(self, name: str) -> Any:
        def answer(_received: Received, match: Match, _username: str) -> Reply:
            left = [item for item in getattr(self, name) if item["id"] != match["id"]]
            if len(left) == len(getattr(self, name)):
                return refuse(404, "not_found", "There is no such thing.")
            setattr(self, name, left)
            return Reply(status=204)

        return answer
