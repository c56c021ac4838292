"""The fake backend's tenant: its people, invitations, audit, support grants, and everybody's own data."""

import re

from tests.fakes import house_shapes as shapes
from tests.fakes.accounts import AccountFake
from tests.fakes.identity import PersonAnswer, refuse
from tests.fakes.lists import find, page_of
from tests.fakes.server import Received, Reply
from tests.fakes.shapes import Json, instant, job

_ID = "(?P<id>[0-9a-f-]{36})/"
Match = re.Match[str]
CERTIFICATE = "good-certificate-token"
ABSENT = refuse(404, "not_found", "There is no such thing.")


class TenancyFake(AccountFake):
    """`members`, `invitations`, `events`, `grants`, `accesses` and `exports` are lists to fill; ada is an owner."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.tenant = shapes.tenant()
        self.members: list[Json] = []
        self.invitations: list[Json] = []
        self.events: list[Json] = []
        self.grants: list[Json] = []
        self.accesses: list[Json] = []
        self.exports: list[Json] = []
        self.jobs: list[Json] = []
        self.deletion = shapes.deletion()
        self.is_owner = True
        self._route_people()
        self._route_records()
        self._route_own_data()

    def _route_people(self) -> None:
        self._as_owner("GET", "/api/tenant/", lambda *_: Reply(body=self._tenant()), is_for_all=True)
        self._as_owner("PATCH", "/api/tenant/", self._rename)
        self._as_owner("GET", "/api/tenant/members/", self._list_members, is_for_all=True)
        address = f"/api/tenant/members/{_ID}"
        self._as_owner("GET", address, self._show_member, is_for_all=True)
        self._as_owner("PATCH", address, self._change_role, is_dangerous=True)
        self._as_owner("DELETE", address, self._remove, is_dangerous=True, is_for_all=True)
        self._as_owner("POST", "/api/tenant/transfer/", self._transfer, is_dangerous=True)
        self._as_owner("GET", "/api/tenant/passkeys/", lambda got, *_: self._list_invitations(got))
        self._as_owner("POST", "/api/tenant/passkeys/", self._invite)
        self._as_owner("POST", f"/api/tenant/passkeys/{_ID}revoke/", self._revoke_invitation)

    def _route_records(self) -> None:
        csv = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": 'attachment; filename="audit.csv"'}
        self._as_owner("GET", "/api/tenant/audit/", lambda got, *_: Reply(body=page_of(self.events, got)))
        self._as_owner("GET", "/api/tenant/audit/export.csv", lambda *_: Reply(body=b"id,at\r\n", headers=csv))
        grants = "/api/tenant/support-grants/"
        self._as_person("GET", grants, lambda got, *_: Reply(body=page_of(self.grants, got)))
        self._as_person("POST", grants, self._open_grant, is_dangerous=True)
        self._as_person("POST", f"{grants}{_ID}revoke/", self._revoke_grant)
        self._as_person("GET", f"{grants}{_ID}accesses/", self._list_accesses)

    def _route_own_data(self) -> None:
        self._as_person("POST", "/api/me/export/", self._start_export, is_dangerous=True)
        self._as_person("GET", "/api/me/exports/", lambda got, *_: Reply(body=page_of(self.exports, got)))
        self._as_person("GET", f"/api/me/exports/{_ID}download/", self._download)
        self._as_person("GET", "/api/me/delete/", lambda *_: Reply(body=self.deletion))
        self._as_person("POST", "/api/me/delete/", self._delete, is_dangerous=True)
        self._as_person("DELETE", "/api/me/delete/", self._undo_delete, is_dangerous=True)
        self.route("GET", f"/api/erasure-certificates/{CERTIFICATE}/", lambda *_: Reply(body=shapes.certificate()))

    def _as_owner(
        self, method: str, pattern: str, answer: PersonAnswer, *, is_dangerous: bool = False, is_for_all: bool = False
    ) -> None:
        def checked(received: Received, match: Match, username: str) -> Reply:
            if not (self.is_owner or is_for_all):
                return refuse(403, "forbidden", "Only an owner can do this.")
            return answer(received, match, username)

        self._as_person(method, pattern, checked, is_dangerous=is_dangerous)

    # --- People

    def _everybody(self) -> list[Json]:
        account = self.users["ada"]
        is_alone = not any(one["role"] == "owner" for one in self.members)
        you = shapes.member("ada", id=account["id"], is_you=True, role="owner" if self.is_owner else "member")
        you |= {"can_change_role": not is_alone, "can_remove": not (is_alone and self.is_owner)}
        return [you, *self.members]

    def _tenant(self) -> Json:
        return self.tenant | {"member_count": len(self._everybody())}

    def _find(self, user_id: str) -> Json | None:
        return next((one for one in self._everybody() if one["id"] == user_id), None)

    def _list_members(self, received: Received, _match: Match, _name: str) -> Reply:
        return Reply(body=page_of(self._everybody(), received))

    def _show_member(self, _received: Received, match: Match, _name: str) -> Reply:
        found = self._find(match["id"])
        consequences = ["They will be signed out everywhere.", "2 open jobs will be cancelled."]
        return Reply(body=found | {"consequences": consequences}) if found else ABSENT

    def _rename(self, received: Received, _match: Match, _name: str) -> Reply:
        self.tenant["name"] = received.body["name"]
        return Reply(body=self._tenant())

    def _change_role(self, received: Received, match: Match, _name: str) -> Reply:
        found = self._find(match["id"])
        if found is None:
            return ABSENT
        if not found["can_change_role"]:
            return refuse(409, "last_owner", "This is the last owner. Make somebody else an owner first.")
        found["role"] = received.body["role"]
        if found["is_you"]:
            self.is_owner = found["role"] == "owner"
        return Reply(body=found)

    def _remove(self, received: Received, match: Match, username: str) -> Reply:
        found = self._find(match["id"])
        if found is None:
            return ABSENT
        if not found["can_remove"]:
            return refuse(409, "last_owner", "This is the last owner. Make somebody else an owner first.")
        if found["is_you"]:
            self.end_tokens(username)
        self.members = [one for one in self.members if one["id"] != match["id"]]
        return Reply(status=204)

    def _transfer(self, received: Received, _match: Match, _name: str) -> Reply:
        heir = self._find(received.body["member"])
        if heir is None:
            return ABSENT
        heir["role"], self.is_owner = "owner", False
        return Reply(body=heir)

    def _list_invitations(self, received: Received) -> Reply:
        state = received.query.get("state")
        return Reply(body=page_of([one for one in self.invitations if state in {None, one["state"]}], received))

    def _invite(self, received: Received, _match: Match, _name: str) -> Reply:
        if received.body["bound_email"].endswith("@bad.example"):
            return refuse(400, "invalid", "Please check the form.", {"bound_email": ["This is no address."]})
        made = shapes.passkey(**received.body)
        self.invitations.insert(0, made)
        return Reply(status=201, body=made | {"passkey": "inv_a-fresh-invite-key"})

    def _revoke_invitation(self, _received: Received, match: Match, _name: str) -> Reply:
        found = find(self.invitations, match)
        if found is None:
            return ABSENT
        found["state"] = "revoked"
        return Reply(body=found)

    # --- Support

    def _open_grant(self, received: Received, _match: Match, _name: str) -> Reply:
        made = shapes.grant(reason=received.body["reason"], scopes=received.body["scopes"])
        self.grants.insert(0, made)
        return Reply(status=201, body=made)

    def _revoke_grant(self, _received: Received, match: Match, _name: str) -> Reply:
        found = find(self.grants, match)
        if found is None:
            return ABSENT
        if found["state"] != "open":
            return refuse(409, "wrong_state", "This grant is over already.")
        found |= {"state": "revoked", "revoked_at": instant()}
        return Reply(body=found)

    def _list_accesses(self, received: Received, match: Match, _name: str) -> Reply:
        return Reply(body=page_of(self.accesses, received)) if find(self.grants, match) else ABSENT

    # --- Own data

    def _start_export(self, _received: Received, _match: Match, _name: str) -> Reply:
        if self.deletion["scheduled_for"]:
            return refuse(409, "deletion_scheduled", "This account is to be deleted. Undo the deletion first.")
        made = job("running", kind="export", title="Export of my data", report_id=None)
        self.jobs.append(made)
        pending = shapes.data_export(job_id=made["id"], state="pending", size_bytes=None, sha256=None, expires_at=None)
        self.exports.insert(0, pending)
        return Reply(status=202, body=made)

    def _download(self, _received: Received, match: Match, _name: str) -> Reply:
        found = next((one for one in self.exports if one["id"] == match["id"]), None)
        if found is None:
            return ABSENT
        if found["state"] != "ready":
            return refuse(409, "wrong_state", "This export is not ready.")
        headers = {"Content-Type": "application/zip", "Content-Disposition": 'attachment; filename="export.zip"'}
        return Reply(body=b"PK of the fake", headers=headers)

    def _delete(self, received: Received, _match: Match, username: str) -> Reply:
        if received.body["confirm"] != username:
            return refuse(400, "invalid", "Please check the form.", {"confirm": ["Type your own user name."]})
        for blocker in self.deletion["blockers"]:
            if not (blocker["code"] == "balance_loss" and received.body["accept_balance_loss"]):
                return refuse(409, blocker["code"], blocker["message"])
        self.deletion |= {"scheduled_for": shapes.later(days=30), "blockers": []}
        return Reply(status=202, body=self.deletion)

    def _undo_delete(self, _received: Received, _match: Match, _name: str) -> Reply:
        if not self.deletion["scheduled_for"]:
            return refuse(404, "not_found", "No deletion of this account is scheduled.")
        self.deletion["scheduled_for"] = None
        return Reply(status=204)
