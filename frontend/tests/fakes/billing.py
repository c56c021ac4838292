"""The fake backend's money: the reserve and its settings, payments that a test pays, documents and metered use."""

import re

from tests.fakes import money_shapes as money
from tests.fakes import shapes
from tests.fakes.identity import refuse
from tests.fakes.lists import find, page_of
from tests.fakes.server import Received, Reply
from tests.fakes.shapes import Json
from tests.fakes.staff import StaffFake
from tests.fakes.tenancy import ABSENT

_ID = "(?P<id>[0-9a-f-]{36})/"
_GROUPED = {"day": "2026-11-20", "model": "builtin-1", "meter": "llm.tokens"}
Match = re.Match[str]


class BillingFake(StaffFake):
    """`ledger`, `usage`, `groups`, `payments` and `documents` are lists to fill. Whoever starts a payment finds it open
    in `payments`, under its session in `checkouts`; a test says how it goes on by `state`."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.ledger: list[Json] = []
        self.usage: list[Json] = []
        self.groups: list[Json] = []
        self.payments: list[Json] = []
        self.documents: list[Json] = []
        self.checkouts: dict[str, str] = {}
        self.plans = [money.plan(name) for name in ("free", "starter", "professional", "enterprise")]
        self.balance = shapes.balance()
        self.billing_profile = money.profile()
        self._route_reserve()
        self._route_payments()

    def _route_reserve(self) -> None:
        self._signed_in("GET", "/api/billing/reserve/balance/", lambda *_: Reply(body=self.balance))
        self._signed_in("GET", "/api/billing/reserve/ledger/", lambda got, _: Reply(body=page_of(self.ledger, got)))
        csv = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": 'attachment; filename="ledger.csv"'}
        exported = Reply(body=b"seq,amount_micros\r\n", headers=csv)
        self._signed_in("GET", "/api/billing/reserve/ledger/export.csv", lambda *_: exported)
        self._signed_in("GET", "/api/billing/usage/", self._list_usage)
        self._signed_in("GET", f"/api/billing/usage/{_ID}", self._show_usage)
        self._signed_in("GET", "/api/billing/profile/", lambda *_: Reply(body=self.billing_profile))
        self._as_owner("PATCH", "/api/billing/profile/", self._change_billing)
        self._as_owner("POST", "/api/billing/auto-topup/resume/", self._resume)
        self._signed_in("GET", "/api/billing/plans/", lambda *_: Reply(body=self.plans))

    def _route_payments(self) -> None:
        self._signed_in("POST", "/api/billing/topup/session/", self._start_topup)
        self._signed_in("POST", "/api/billing/topup/confirm/", self._confirm)
        self._signed_in("GET", "/api/billing/payments/", lambda got, _: Reply(body=page_of(self.payments, got)))
        self._signed_in("GET", f"/api/billing/payments/{_ID}", self._show_payment)
        self._signed_in("POST", f"/api/billing/payments/{_ID}cancel/", self._cancel)
        portal = Reply(status=201, body={"portal_url": money.PORTAL})
        self._as_owner("POST", "/api/billing/portal/session/", lambda *_: portal)
        self._as_owner("POST", "/api/billing/subscription/session/", self._subscribe)
        self._signed_in("GET", "/api/billing/invoices/", lambda got, _: Reply(body=page_of(self.documents, got)))
        self._signed_in("GET", f"/api/billing/invoices/{_ID}pdf/", self._pdf)

    # --- The reserve

    def _list_usage(self, received: Received, _match: Match) -> Reply:
        if by := received.query.get("group_by"):
            groups = self.groups or [money.usage_group(_GROUPED.get(by, shapes.ABSENT_ID))] * bool(self.usage)
            return Reply(body={"groups": groups, "total": money.usage_total(groups)})
        return Reply(body=page_of(self.usage, received))

    def _show_usage(self, _received: Received, match: Match) -> Reply:
        found = find(self.usage, match)
        return Reply(body=money.usage_details(found)) if found else ABSENT

    def _change_billing(self, received: Received, _match: Match, _username: str) -> Reply:
        profile, changes = self.billing_profile, dict(received.body)
        if profile["is_policy_fixed"] and "policy" in changes:
            return refuse(403, "policy_fixed", "Staff chose this policy.")
        auto = changes.pop("auto_topup", {})
        if auto.get("is_on") and profile["saved_card"] is None:
            return refuse(409, "no_saved_card", "There is no saved card yet.")
        profile["auto_topup"] |= auto
        profile |= changes
        return Reply(body=profile)

    def _resume(self, _received: Received, _match: Match, _username: str) -> Reply:
        auto: Json = self.billing_profile["auto_topup"]
        if auto["state"] == "idle":
            return refuse(409, "wrong_state", "There is nothing to resume.")
        auto |= {"state": "idle", "cooling_until": None, "last_decline_code": ""}
        return Reply(body=auto)

    # --- Payments

    def _refused(self) -> Reply | None:
        if self.billing_profile["payments"]["is_set_up"]:
            return None
        return refuse(503, "payments_not_set_up", "Payments are not set up here, so nothing can be paid.")

    def _start_topup(self, received: Received, _match: Match) -> Reply:
        terms, amount = self.billing_profile["payments"], received.body["amount_cents"]
        if refused := self._refused():
            return refused
        if not terms["min_cents"] <= amount <= terms["max_cents"]:
            sentence = "This amount lies outside what can be paid at once."
            return refuse(400, "topup_out_of_bounds", sentence, {"amount_cents": [sentence]})
        made = money.payment("open", amount_cents=amount, amount_micros=amount * 10_000)
        self.payments.insert(0, made)
        session_id = f"cs_test_{made['id']}"
        self.checkouts[session_id] = made["id"]
        made["checkout_url"] = f"{money.CHECKOUT}{session_id}"
        body = {"payment_id": made["id"], "session_id": session_id, "checkout_url": made["checkout_url"]}
        return Reply(status=201, body=body)

    def _confirm(self, received: Received, _match: Match) -> Reply:
        payment_id = self.checkouts.get(received.body["session_id"])
        found = next((one for one in self.payments if one["id"] == payment_id), None)
        return Reply(body=found) if found else ABSENT

    def _show_payment(self, _received: Received, match: Match) -> Reply:
        found = find(self.payments, match)
        return Reply(body=found) if found else ABSENT

    def _cancel(self, _received: Received, match: Match) -> Reply:
        found = find(self.payments, match)
        if found is None:
            return ABSENT
        if found["state"] != "open":
            return refuse(409, "wrong_state", "It is too late to cancel this payment.")
        found |= {"state": "canceled", "state_label": "Canceled", "closed_at": shapes.instant(), "checkout_url": ""}
        return Reply(body=found)

    def _subscribe(self, _received: Received, _match: Match, _username: str) -> Reply:
        if refused := self._refused():
            return refused
        if self.billing_profile["subscription"]:
            return refuse(409, "already_subscribed", "There is a subscription already.")
        return Reply(status=201, body={"session_id": "cs_test_plan", "checkout_url": f"{money.CHECKOUT}cs_test_plan"})

    def _pdf(self, _received: Received, match: Match) -> Reply:
        if find(self.documents, match) is None:
            return ABSENT
        headers = {"Content-Type": "application/pdf", "Content-Disposition": 'attachment; filename="R-000001.pdf"'}
        return Reply(body=b"%PDF-1.7 of the fake", headers=headers)
