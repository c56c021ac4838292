"""The fake backend's staff side: everybody's accounts, tenants, invite passkeys, the audit and open grants."""

import re
from typing import Any

from tests.fakes import house_shapes as shapes
from tests.fakes.identity import PersonAnswer, refuse
from tests.fakes.lists import find, page_of
from tests.fakes.server import Received, Reply
from tests.fakes.shapes import Json
from tests.fakes.tenancy import ABSENT, TenancyFake

_ID = "(?P<id>[0-9a-f-]{36})/"
Match = re.Match[str]


class StaffFake(TenancyFake):
    """`people`, `tenants`, `passkey_rows` and `open_grants` are lists to fill; `has_no_factor` shuts staff out."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.people: list[Json] = []
        self.tenants: list[Json] = []
        self.passkey_rows: list[Json] = []
        self.open_grants: list[Json] = []
        self.has_no_factor = False
        self._as_staff("GET", "users/", self._list_people)
        self._as_staff("GET", f"users/{_ID}", lambda _got, match, _name: self._show("people", match))
        self._as_staff("PATCH", f"users/{_ID}", self._change_person, is_dangerous=True)
        self._as_staff("POST", f"users/{_ID}password-reset/", self._send_reset)
        self._as_staff("POST", f"users/{_ID}revoke-tokens/", self._changer(session_count=0, token_count=0))
        reset = self._changer(has_second_factor=False)
        self._as_staff("POST", f"users/{_ID}second-factor/reset/", reset, is_dangerous=True)
        self._as_staff("GET", "tenants/", self._lister("tenants", "name"))
        self._as_staff("GET", f"tenants/{_ID}", self._show_tenant)
        self._as_staff("GET", "audit/", lambda got, *_: Reply(body=page_of(self.events, got)))
        self._as_staff("GET", "passkeys/", self._list_passkeys)
        self._as_staff("POST", "passkeys/", self._create_passkey)
        self._as_staff("GET", f"passkeys/{_ID}", lambda _got, match, _name: self._show("passkey_rows", match))
        self._as_staff("POST", f"passkeys/{_ID}revoke/", self._revoke_passkey)
        self._as_staff("GET", "support-grants/", lambda got, *_: Reply(body=page_of(self.open_grants, got)))

    def _as_staff(
        self, method: str, path: str, answer: PersonAnswer, *, is_dangerous: bool = False, base: str = "/api/admin/"
    ) -> None:
        def checked(received: Received, match: Match, username: str) -> Reply:
            if not self.users[username]["is_staff"]:
                return refuse(403, "forbidden", "You do not have permission to do this.")
            if self.has_no_factor:
                return refuse(403, "second_factor_required", "This needs a sign-in with a second factor.")
            return answer(received, match, username)

        self._as_person(method, f"{base}{path}", checked, is_dangerous=is_dangerous)

    def _check_grant(self, received: Received, username: str) -> Reply | None:
        """Why a call by a support grant is refused, None when it is not."""
        is_staff = self.users[username]["is_staff"] and not self.has_no_factor
        is_open = received.headers["x-support-grant"] in [one["id"] for one in self.open_grants]
        if is_staff and is_open and received.method == "GET":
            return None
        return refuse(403, "support_grant_invalid", "This grant does not open that.")

    def _rows(self, name: str) -> list[Json]:
        rows: list[Json] = getattr(self, name)
        return rows

    def _show(self, name: str, match: Match) -> Reply:
        found = find(self._rows(name), match)
        return Reply(body=found) if found else ABSENT

    def _lister(self, name: str, field: str) -> PersonAnswer:
        def answer(received: Received, _match: Match, _name: str) -> Reply:
            words = received.query.get("q", "").lower()
            found = [one for one in self._rows(name) if words in one[field].lower()]
            return Reply(body=page_of(found, received))

        return answer

    def _list_people(self, received: Received, _match: Match, _name: str) -> Reply:
        query = received.query
        found = [
            one
            for one in self.people
            if query.get("q", "").lower() in f"{one['username']} {one['email']}".lower()
            and all(query.get(flag) in {None, str(one[flag]).lower()} for flag in ("is_staff", "is_active"))
        ]
        return Reply(body=page_of(found, received))

    def _change_person(self, received: Received, match: Match, _name: str) -> Reply:
        found = find(self.people, match)
        if found is None:
            return ABSENT
        if "is_staff" in received.body and not found["can_change_staff"]:
            return refuse(403, "forbidden", "Only a superuser makes or unmakes staff.")
        found |= {name: value for name, value in received.body.items() if name != "reason"}
        return Reply(body=found)

    def _send_reset(self, _received: Received, match: Match, _name: str) -> Reply:
        sent = Reply(status=202, body={"message": "The mail is on its way."})
        return sent if find(self.people, match) else ABSENT

    def _changer(self, **changes: Any) -> PersonAnswer:
        def answer(_received: Received, match: Match, _name: str) -> Reply:
            found = find(self.people, match)
            if found is None:
                return ABSENT
            found |= changes
            return Reply(body=found)

        return answer

    def _show_tenant(self, _received: Received, match: Match, _name: str) -> Reply:
        found = find(self.tenants, match)
        return Reply(body=found | {"members": [shapes.member()]}) if found else ABSENT

    def _list_passkeys(self, received: Received, _match: Match, _name: str) -> Reply:
        state = received.query.get("state")
        return Reply(body=page_of([one for one in self.passkey_rows if state in {None, one["state"]}], received))

    def _create_passkey(self, received: Received, _match: Match, _name: str) -> Reply:
        wish = received.body
        if wish["tenant"] and wish["tenant"] not in [one["id"] for one in self.tenants]:
            return refuse(400, "invalid", "Please check the form.", {"tenant": ["There is no such tenant."]})
        made = shapes.passkey(**wish | {"tenant": {"id": wish["tenant"], "name": "Acme"} if wish["tenant"] else None})
        self.passkey_rows.insert(0, made)
        return Reply(status=201, body=made | {"passkey": "inv_a-fresh-staff-key"})

    def _revoke_passkey(self, _received: Received, match: Match, _name: str) -> Reply:
        found = find(self.passkey_rows, match)
        if found is None:
            return ABSENT
        if found["state"] != "active":
            return refuse(409, "wrong_state", "This invite passkey has been used or revoked already.")
        found["state"] = "revoked"
        return Reply(body=found)
