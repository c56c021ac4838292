"""The backend as the frontend's tests see it: real sockets, answers in the shapes of the contract, a little state.

`python -m tests.fakes.backend --port 8000` runs it by itself, to look at pages without a backend.
"""

import argparse
import re
import sys
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from tests.fakes import house_shapes as house
from tests.fakes import money_shapes as money
from tests.fakes import shapes
from tests.fakes.identity import refuse
from tests.fakes.lists import find, page_of
from tests.fakes.server import Answer, Received, Reply
from tests.fakes.shapes import Json
from tests.fakes.staff_money import StaffMoneyFake, seed_money
from tests.fakes.tenancy import ABSENT

ENTRY = r"/api/worklogs/(?P<id>[0-9a-f-]{36})/"
REPORT = r"/api/reports/(?P<id>[0-9a-f-]{36})/"
JOB = r"/api/jobs/(?P<id>[0-9a-f-]{36})/"


class FakeBackend(StaffMoneyFake):
    """Begin with `add_user`. `entries`, `jobs` and `reports` are lists to fill."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.entries: list[Json] = []
        self.versions: list[Json] = []
        self.reports: list[Json] = []
        self.status = shapes.status()
        self._signed_in("GET", "/api/status/bar/", lambda *_: Reply(body=self.status))
        self._route_worklog()
        self._route_reports()

    def _route_worklog(self) -> None:
        self._signed_in("GET", "/api/worklogs/", self._entries)
        self._signed_in("POST", "/api/worklogs/", self._create_entry)
        self._signed_in("POST", "/api/worklogs/parse/", self._parse)
        defaults = {"employer": "Acme", "project": "Billing", "tags": ["python"]}
        self._signed_in("GET", "/api/worklogs/defaults/", lambda *_: Reply(body=defaults))
        self._signed_in("GET", ENTRY, self._one(self.entries))
        self._signed_in("PATCH", ENTRY, self._change_entry)
        self._signed_in("DELETE", ENTRY, self._set_deleted(is_deleted=True))
        self._signed_in("POST", f"{ENTRY}restore/", self._set_deleted(is_deleted=False))
        self._signed_in("GET", f"{ENTRY}versions/", self._beside(self.entries, lambda: self.versions))
        for path in ("/api/employers/", "/api/projects/", "/api/tags/"):
            named = [{"id": shapes.new_id(), "name": path.strip("/").split("/")[-1].capitalize()}]
            self._signed_in("GET", path, self._all(named))

    def _route_reports(self) -> None:
        self._signed_in("POST", "/api/jobs/estimate/", self._estimate)
        self._signed_in("GET", "/api/reports/", lambda got, _: Reply(body=page_of(self._summaries(), got)))
        self._signed_in("POST", "/api/reports/", self._create_report)
        self._signed_in("GET", REPORT, self._one(self.reports))
        self._signed_in("PATCH", REPORT, self._change(self.reports))
        self._signed_in("DELETE", REPORT, self._delete_report)
        self._signed_in("GET", f"{REPORT}export/", self._export)
        self._signed_in("GET", "/api/jobs/", self._list_jobs)
        self._signed_in("GET", JOB, self._one(self.jobs))
        self._signed_in("GET", f"{JOB}events/", self._beside(self.jobs, lambda: [self._event()]))
        self._signed_in("POST", f"{JOB}cancel/", self._set_job_state("cancelled", 200))
        self._signed_in("POST", f"{JOB}retry/", self._set_job_state("queued", 202))

    # --- Worklog

    def _entries(self, received: Received, _match: re.Match[str]) -> Reply:
        query = received.query
        found = [
            item
            for item in self.entries
            if not item["is_deleted"]
            and query.get("q", "").lower() in f"{item['title']} {item['body']}".lower()
            and query.get("from", "") <= item["occurred_on"] <= query.get("to", "9999")
            and query.get("tag", "").lower() in ["", *(tag.lower() for tag in item["tags"])]
            and (query.get("lacks_impact") != "true" or not item["impact"])
        ]
        found.sort(key=lambda item: item["occurred_on"], reverse=query.get("ordering") != "occurred_on")
        return Reply(body=page_of(found, received))

    def _create_entry(self, received: Received, _match: re.Match[str]) -> Reply:
        if not received.body.get("title", "").strip():
            return refuse(400, "invalid", "Please check the form.", {"title": ["Say what you did."]})
        made = shapes.entry(**received.body)
        self.entries.insert(0, made)
        return Reply(status=201, body=made)

    def _change_entry(self, received: Received, match: re.Match[str]) -> Reply:
        found = find(self.entries, match)
        if found is None:
            return ABSENT
        if received.body.get("version", found["version"]) != found["version"]:
            return refuse(409, "version_conflict", "This entry has changed in the meantime.")
        found |= received.body | {"version": found["version"] + 1}
        return Reply(body=found)

    def _set_deleted(self, *, is_deleted: bool) -> Answer:
        def answer(_received: Received, match: re.Match[str]) -> Reply:
            found = find(self.entries, match)
            if found is None:
                return ABSENT
            found["is_deleted"] = is_deleted
            return Reply(status=204) if is_deleted else Reply(body=found)

        return answer

    def _parse(self, received: Received, _match: re.Match[str]) -> Reply:
        words = received.body["line"].split()
        named = {mark: [word[1:] for word in words if word.startswith(mark)] for mark in "@#+/!"}
        hours = named["!"][0].removesuffix("h") if named["!"] else None
        parsed = {
            "title": " ".join(word for word in words if word[0] not in "@#+/!"),
            "occurred_on": date.today().isoformat(),  # noqa: DTZ011 - a fake's idea of today
            "employer": "".join(named["@"][:1]),
            "project": "".join(named["/"][:1]),
            "tags": named["#"],
            "skills": named["+"],
            "hours": f"{float(hours):.2f}" if hours else None,
            "impact": "",
        }
        return Reply(body=parsed)

    # --- Reports and jobs

    def _summaries(self) -> list[Json]:
        counts = {"entry_count": 3, "bullet_count": 3}
        return [
            {name: value for name, value in item.items() if name not in {"document", "entries"}} | counts
            for item in self.reports
        ]

    def _estimate(self, received: Received, _match: re.Match[str]) -> Reply:
        chosen = received.body["params"].get("entry_ids", self.entries)
        return Reply(body=shapes.estimate(entries=len(chosen)))

    def _create_report(self, received: Received, _match: re.Match[str]) -> Reply:
        chosen = [item for item in self.entries if item["id"] in received.body.get("entry_ids", [])] or self.entries
        if not chosen:
            return refuse(400, "invalid", "There is nothing to write about.", {"entry_ids": ["No entries."]})
        job = shapes.job("queued")
        made = shapes.report(chosen, state="pending", document=None, job_id=job["id"], cost_micros=None)
        job["report_id"] = made["id"]
        self.reports.insert(0, made)
        self.jobs.insert(0, job)
        return Reply(status=202, body={"report": made, "job": job})

    def _delete_report(self, _received: Received, match: re.Match[str]) -> Reply:
        return Reply(status=204) if find(self.reports, match) else ABSENT

    def _export(self, received: Received, match: re.Match[str]) -> Reply:
        if find(self.reports, match) is None:
            return ABSENT
        kind = received.query["format"]
        content = {"pdf": b"%PDF-1.7 of the fake", "md": b"# Brag document", "json": b"{}"}[kind]
        types = {"pdf": "application/pdf", "md": "text/markdown; charset=utf-8", "json": "application/json"}
        headers = {"Content-Type": types[kind], "Content-Disposition": f'attachment; filename="brag.{kind}"'}
        return Reply(body=content, headers=headers)

    def _list_jobs(self, received: Received, _match: re.Match[str]) -> Reply:
        state = received.query.get("state")
        return Reply(body=page_of([item for item in self.jobs if state in {None, item["state"]}], received))

    def _set_job_state(self, state: str, status: int) -> Answer:
        def answer(_received: Received, match: re.Match[str]) -> Reply:
            found = find(self.jobs, match)
            if found is None:
                return ABSENT
            found |= {"state": state, "can_cancel": state == "queued", "can_retry": state == "cancelled"}
            return Reply(status=status, body=found)

        return answer

    def _event(self) -> Json:
        return {"at": shapes.instant(), "name": "job.started", "message": "Started", "data": {}}

    # --- Shared

    def _one(self, items: list[Json]) -> Answer:
        def answer(_received: Received, match: re.Match[str]) -> Reply:
            found = find(items, match)
            return Reply(body=found) if found else ABSENT

        return answer

    def _all(self, items: list[Json]) -> Answer:
        return lambda received, _: Reply(body=page_of(items, received))

    def _change(self, items: list[Json]) -> Answer:
        def answer(received: Received, match: re.Match[str]) -> Reply:
            found = find(items, match)
            if found is None:
                return ABSENT
            found |= received.body
            return Reply(body=found)

        return answer

    def _beside(self, items: list[Json], listed: Callable[[], list[Json]]) -> Answer:
        """A list that belongs to one of `items`."""
        return lambda _received, match: Reply(body=page_of(listed())) if find(items, match) else ABSENT


def seed(fake: FakeBackend) -> None:
    """A person with a few weeks of work, for looking at pages."""
    fake.add_user("ada", "correct horse", is_staff=True)
    fake.sessions.append(shapes.session(device="Safari on iPhone", is_current=False, address="198.51.100.4"))
    fake.personal_tokens.append(shapes.personal_token())
    titles = ("Cut the invoice run from 40 to 6 minutes", "Interviewed three candidates", "Wrote the migration plan")
    for number in range(24):
        day = datetime.now(UTC).date() - timedelta(days=number * 3)
        impact = "" if number % 3 == 1 else "Invoices leave before nine"
        fake.entries.append(shapes.entry(titles[number % 3], occurred_on=day.isoformat(), impact=impact))
    fake.jobs.extend(
        [shapes.job("running"), shapes.job("succeeded"), shapes.job("failed", error="The writer gave up.")]
    )
    fake.reports.append(shapes.report(fake.entries[:3]))
    snapshot = {"title": "Cut the invoice run", "hours": "2.00", "tags": ["python"]}
    fake.versions.extend([shapes.version(1, snapshot), shapes.version(2, snapshot | {"hours": "3.00", "tags": []})])
    promo = {"kind": "promo_credit", "kind_label": "Promotional credit", "amount_micros": 5_000_000}
    promo |= {"amount_dollars": "5.00", "description": "Credit of your invitation", "job_id": None}
    fake.ledger.extend([shapes.ledger_entry(), shapes.ledger_entry(**promo, balance_after_micros=5_000_000, lines=[])])
    fake.usage.append(shapes.usage_event())
    _seed_money(fake)
    _seed_house(fake)
    seed_money(fake)


def _seed_money(fake: FakeBackend) -> None:
    """A reserve that fills itself up, and payments in several states."""
    settings = {"saved_card": money.saved_card(), "auto_topup": money.auto_topup(is_on=True, state="suspended")}
    fake.billing_profile |= settings
    waiting = money.payment("open")
    fake.payments.extend([waiting, money.payment(), money.payment("failed", kind_label="Automatic top-up")])
    fake.checkouts["cs_test_of_the_seed"] = waiting["id"]
    fake.documents.append(money.document(id=fake.payments[1]["document_id"]))


def _seed_house(fake: FakeBackend) -> None:
    """Other people, what they did, and what staff see of them."""
    fake.members.extend([house.member("bea", role="owner"), house.member("cleo", has_second_factor=False)])
    fake.invitations.append(house.passkey(note="Dora of design", bound_email="dora@example.com"))
    before = {"minutes": 60, "scopes": ["worklog"]}
    fake.events.extend(
        [house.audit(), house.audit(action="support_grant.opened", before=None, after=before), house.audit(actor=None)]
    )
    fake.grants.extend([house.grant(state="expired", reason="Ledger looks odd"), house.grant(access_count=2)])
    fake.accesses.extend([house.access(), house.access(path="/api/reports/")])
    fake.exports.append(house.data_export())
    fake.people.extend(
        [house.user_row("ada", is_staff=True), house.user_row("bea", has_second_factor=True), house.user_row("cleo")]
    )
    fake.tenants.append(house.tenant_row())
    fake.passkey_rows.extend([house.passkey(tenant=None, promo_credit_cents=500), house.passkey(state="expired")])
    fake.passkey_rows.append(house.passkey(note="Cleo"))
    fake.open_grants.append(house.staff_grant(scopes=["worklog", "reports", "billing"]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    fake = FakeBackend(parser.parse_args().port)
    seed(fake)
    fake.start()
    sys.stdout.write(f"The fake backend listens on {fake.url}; sign in as ada with the password: correct horse\n")
    threading.Event().wait()


if __name__ == "__main__":
    main()
