"""The fake backend's money for staff: reserves, payments and refunds, disputes, costs, Stripe's messages."""

import re

from tests.fakes import staff_money_shapes as shapes
from tests.fakes.billing import BillingFake
from tests.fakes.identity import PersonAnswer, refuse
from tests.fakes.lists import find, page_of
from tests.fakes.server import Received, Reply
from tests.fakes.shapes import Json, new_id
from tests.fakes.tenancy import ABSENT

_ID = "(?P<id>[0-9a-f-]{36})/"
Match = re.Match[str]


class StaffMoneyFake(BillingFake):
    """`house_payments`, `disputes`, `stripe_events` and `cost_groups` are lists to fill."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self.money_summary = shapes.summary()
        self.house_payments: list[Json] = []
        self.disputes: list[Json] = []
        self.stripe_events: list[Json] = []
        self.cost_groups: list[Json] = []
        self._as_money_staff("GET", "reserve/summary/", lambda *_: Reply(body=self.money_summary))
        self._as_money_staff("POST", "reserve/adjust/", self._adjust)
        self._as_money_staff("PATCH", f"reserve/{_ID}policy/", self._change_policy)
        self._as_money_staff("GET", "usage/costs/", self._list_costs)
        self._as_money_staff("GET", "payments/", self._list_payments)
        self._as_money_staff("GET", f"payments/{_ID}", lambda _got, match, _name: self._show("house_payments", match))
        self._as_money_staff("POST", "refunds/", self._refund, is_dangerous=True)
        self._as_money_staff("GET", "stripe-events/", self._list_events)
        self._as_money_staff("POST", f"stripe-events/{_ID}retry/", self._retry)
        self._as_money_staff("GET", "disputes/", lambda got, *_: Reply(body=page_of(self.disputes, got)))
        csv = {"Content-Type": "text/csv; charset=utf-8", "Content-Disposition": 'attachment; filename="ledger.csv"'}
        exported = Reply(body=b"tenant,seq,amount_micros\r\n", headers=csv)
        self._as_money_staff("GET", "ledger/export.csv", lambda *_: exported)

    def _as_money_staff(self, method: str, path: str, answer: PersonAnswer, *, is_dangerous: bool = False) -> None:
        self._as_staff(method, path, answer, is_dangerous=is_dangerous, base="/api/billing/admin/")

    def _adjust(self, received: Received, _match: Match, _name: str) -> Reply:
        wish = received.body
        found = next((one for one in self.tenants if one["id"] == wish["tenant"]), None)
        if found is None:
            return refuse(400, "invalid", "Please check the form.", {"tenant": ["There is no such tenant."]})
        found["balance_micros"] += wish["amount_micros"]
        body = {"id": new_id(), "seq": 7, "kind": "adjustment", "amount_micros": wish["amount_micros"]}
        return Reply(status=201, body=body | {"balance_after_micros": found["balance_micros"]})

    def _change_policy(self, received: Received, match: Match, _name: str) -> Reply:
        if find(self.tenants, match) is None:
            return ABSENT
        changes = {name: value for name, value in received.body.items() if name != "reason"}
        return Reply(body={"policy": "warn", "floor_micros": -5_000_000, "is_policy_fixed": False} | changes)

    def _list_costs(self, _received: Received, _match: Match, _name: str) -> Reply:
        return Reply(body={"groups": self.cost_groups, "total": shapes.cost_total(self.cost_groups)})

    def _list_payments(self, received: Received, _match: Match, _name: str) -> Reply:
        query = received.query
        found = [
            one
            for one in self.house_payments
            if query.get("state") in {None, one["state"]} and query.get("tenant") in {None, one["tenant"]["id"]}
        ]
        return Reply(body=page_of(found, received))

    def _refund(self, received: Received, _match: Match, _name: str) -> Reply:
        wish = received.body
        found = next((one for one in self.house_payments if one["id"] == wish["payment"]), None)
        if found is None:
            return ABSENT
        made = shapes.refund(found, reason=wish["reason"])
        if "amount_cents" in wish:
            made["amount_micros"] = wish["amount_cents"] * 10_000
        left = found["amount_micros"] - found["refunded_micros"]
        if not 0 < made["amount_micros"] <= left:
            return refuse(409, "nothing_to_refund", "There is not that much left of this payment to give back.")
        found["refunded_micros"] += made["amount_micros"]
        return Reply(status=201, body=made)

    def _list_events(self, received: Received, _match: Match, _name: str) -> Reply:
        query = received.query
        found = [
            one
            for one in self.stripe_events
            if query.get("state") in {None, one["state"]} and query.get("type") in {None, one["type"]}
        ]
        return Reply(body=page_of(found, received))

    def _retry(self, _received: Received, match: Match, _name: str) -> Reply:
        found = find(self.stripe_events, match)
        if found is None:
            return ABSENT
        if found["state"] == "done":
            return refuse(409, "wrong_state", "This event is done.")
        found |= {"state": "received", "last_error": ""}
        return Reply(body=found)


def seed_money(fake: StaffMoneyFake) -> None:
    """A house with payments, a dispute, and messages in every state."""
    fake.house_payments.extend(
        [
            shapes.staff_payment(),
            shapes.staff_payment("failed"),
            shapes.staff_payment(refunded_micros=5_000_000, disputed_micros=20_000_000),
        ]
    )
    fake.disputes.append(shapes.dispute())
    parked = shapes.stripe_event("parked", last_error="The event is live, and we are not.", livemode=True)
    fake.stripe_events.extend([parked, shapes.stripe_event(), shapes.stripe_event("ignored", type="plan.created")])
    fake.cost_groups.extend([shapes.cost_group(), shapes.cost_group("Zenith", margin_micros=-350, loss_micros=400)])
