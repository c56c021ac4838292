"""Customers with cards and reports to write, and the member of staff who gives money back."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx

from devstack.stack import Stack
from tests.api_journey import Traveller
from tests.chaos.money.calls import open_client, send
from tests.chaos.money.journal import Journal, Operation, Outcome

DAY: Final = "2026-11-20"
_PAUSE_S: Final = 0.5
_REFUSED_CARD: Final = "pm_card_visa_chargeDeclined"


@dataclass
class Customer:
    """A person with a reserve of their own; `tenant` is their name."""

    tenant: str
    token: str


@dataclass
class Scene:
    """What all actors share: the stack, the journal, and when to stop."""

    stack: Stack
    journal: Journal
    seed: str
    # Customers who pay by hand once and keep what they paid: their reserves are to fill themselves up from then on.
    spared: frozenset[str] = frozenset()
    stopped: threading.Event = field(default_factory=threading.Event)
    failures: list[str] = field(default_factory=list)

    def chance(self, name: str) -> random.Random:
        """Decisions that repeat with the seed."""
        return random.Random(f"{self.seed}:{name}")

    def run(self, *acts: Callable[[], None]) -> list[threading.Thread]:
        """Starts actors; what one of them raises is a failure of the round."""
        threads = [threading.Thread(target=self._guard, args=(act,), daemon=True) for act in acts]
        for thread in threads:
            thread.start()
        return threads

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception as error:  # noqa: BLE001 - told by the judge
            self.failures.append(f"{act}: {type(error).__name__}: {error}")


def sign_up(stack: Stack, name: str) -> Customer:
    """A new customer with five dollars and something to write about."""
    traveller = Traveller(stack.urls.backend)
    traveller.sign_up(name=name, passkey=stack.create_passkey(promo_credit="5.00"))
    traveller.write_entry(f"Cut the invoice run of {name} from 40 to 6 min", occurred_on=DAY)
    token = str(traveller.http.headers["Authorization"])
    traveller.close()
    return Customer(tenant=name, token=token)


def sign_in_staff(stack: Stack) -> str:
    """The admin's token, with the second factor. A code is taken once, and the next comes within half a minute."""
    names = {"username": stack.admin_username, "password": stack.admin_password}
    taken = ""
    with open_client(stack.urls.backend) as http:
        for _ in range(3):
            while (code := stack.admin_code) == taken:
                time.sleep(0.5)
            taken = code
            challenge = http.post("/api/auth/token/", json=names).json()["challenge"]["id"]
            answer = http.post("/api/auth/token/second-factor/", json={"challenge": challenge, "code": code})
            if answer.status_code == httpx.codes.OK:
                return f"Token {answer.json()['token']}"
    raise AssertionError(f"The admin does not get in: {answer.text}")


class Actor:
    """Somebody with a token who asks again, with the same key, until they know."""

    def __init__(self, scene: Scene, customer: Customer, *, name: str) -> None:
        self.scene, self.customer = scene, customer
        self.chance = scene.chance(f"{customer.tenant}:{name}")
        self.http = open_client(scene.stack.urls.backend)
        self.http.headers["Authorization"] = customer.token

    def want(self, kind: str, path: str, /, **body: Any) -> Operation:
        """Notes a wish and pursues it as long as the round goes on. Now and then somebody else asks at once."""
        operation = Operation(
            kind=kind, tenant=self.customer.tenant, key=f"{kind}-{uuid4()}", body={"path": path, **body}
        )
        self.scene.journal.note(operation)
        if self.chance.random() < 0.3:
            self.scene.run(lambda: repeat(self.scene, self.customer.token, operation))
        while operation.is_open and not self.scene.stopped.is_set():
            pursue(self.http, operation)
            if operation.is_open:
                self.scene.stopped.wait(_PAUSE_S)
        return operation

    def pause(self) -> None:
        self.scene.stopped.wait(self.chance.uniform(0.05, 0.4))


def pursue(http: httpx.Client, operation: Operation) -> None:
    """One more try of an operation; its ids are collected: there must only ever be one."""
    body = {name: value for name, value in operation.body.items() if name != "path"}
    sent = Operation(kind=operation.kind, tenant=operation.tenant, key=operation.key, body=body)
    result = send(http, sent, str(operation.body["path"]))
    operation.answers += sent.answers
    if result is not None:
        operation.ids.add(read_id(operation.kind, result))
    if operation.outcome is not Outcome.CONFIRMED:
        operation.outcome, operation.result = sent.outcome, sent.result


def read_id(kind: str, result: dict[str, Any]) -> str:
    """What the operation made."""
    if kind == "spend":
        return str(result["job"]["id"])
    return str(result["payment_id"] if kind == "topup" else result["id"])


def repeat(scene: Scene, token: str, operation: Operation) -> None:
    """The same wish from another connection at the same moment."""
    with open_client(scene.stack.urls.backend) as http:
        http.headers["Authorization"] = token
        pursue(http, operation)


class Spender(Actor):
    """Asks for reports."""

    def live(self) -> None:
        while not self.scene.stopped.is_set():
            self.want("spend", "/api/reports/", kind="brag_document", period_from=DAY, period_to=DAY)
            self.pause()


class Payer(Actor):
    """Pays at the checkout, is declined, walks away, and disputes payments at the bank."""

    def live(self) -> None:
        with open_client(self.scene.stack.urls.stripe) as bank:
            while not self.scene.stopped.is_set():
                cents = self.chance.choice((500, 1000, 2500, 12_345))
                operation = self.want("topup", "/api/billing/topup/session/", amount_cents=cents, save_card=True)
                if operation.outcome is Outcome.CONFIRMED:
                    is_paid = self._go_to_the_page(bank, operation, cents)
                    if is_paid and self.customer.tenant in self.scene.spared:
                        return
                self.pause()

    def _go_to_the_page(self, bank: httpx.Client, topup: Operation, cents: int) -> bool:
        # A page that is left open keeps the reserve from filling itself up.
        mood = 0.6 if self.customer.tenant in self.scene.spared else self.chance.random()
        session = str(topup.result["session_id"])
        if mood < 0.1:
            return False
        paid = Operation(kind="pay", tenant=self.customer.tenant, key=session, body={"cents": cents})
        paid.ids.add(str(topup.result["payment_id"]))
        self.scene.journal.note(paid)
        answer = bank.post(f"/_checkout/{session}/pay", json={"card": _REFUSED_CARD} if mood < 0.2 else {})
        paid.result = answer.json()
        is_paid = answer.status_code == httpx.codes.OK and paid.result.get("payment_status") == "paid"
        paid.outcome = Outcome.CONFIRMED if is_paid else Outcome.REFUSED
        if is_paid and mood < 0.5:
            self._come_back(session)
        if is_paid and mood > 0.8 and self.customer.tenant not in self.scene.spared:
            self._regret(bank, str(paid.result["payment_intent"]), cents)
        return is_paid

    def _come_back(self, session: str) -> None:
        """The return page: may answer before, after or at the same time as the webhook, or not at all."""
        try:
            self.http.post("/api/billing/topup/confirm/", json={"session_id": session})
        except httpx.HTTPError:
            return

    def _regret(self, bank: httpx.Client, payment: str, cents: int) -> None:
        """A refund by somebody at Stripe's own pages, or a dispute at the bank with some end."""
        operation = Operation(kind="regret", tenant=self.customer.tenant, key=payment, body={"cents": cents})
        self.scene.journal.note(operation)
        is_dispute = self.chance.random() < 0.5
        parts = [("dispute", cents)] if is_dispute else [("refund", cents // 3)] * 2
        for kind, amount in parts:
            wish: dict[str, Any] = {"payment_intent": payment, "amount": amount}
            if kind == "dispute":
                dispute = bank.post("/_disputes", json={**wish, "reason": "fraudulent"}).json()
                for phase in self.chance.choice((["withdraw"], ["withdraw", "win"], ["withdraw", "lose"])):
                    bank.post(f"/_disputes/{dispute['id']}/{phase}", json={})
            else:
                refund_at_stripe(self.scene.stack, bank, wish)
        operation.outcome = Outcome.CONFIRMED


def refund_at_stripe(stack: Stack, bank: httpx.Client, wish: dict[str, Any]) -> None:
    """By Stripe's API, as its dashboard does it: a lost answer is asked for again, under the same key."""
    headers = {"Authorization": f"Bearer {stack.env['STRIPE_SECRET_KEY']}", "Idempotency-Key": str(uuid4())}
    for _ in range(5):
        try:
            bank.post("/v1/refunds", data=wish, headers=headers)
        except httpx.HTTPError:
            continue
        return


class Staff(Actor):
    """Gives back a part of payments that customers have made."""

    def live(self) -> None:
        given: set[str] = set()
        while not self.scene.stopped.is_set():
            paid = [one for one in self.scene.journal.of("pay") if one.outcome is Outcome.CONFIRMED]
            fresh = [one for one in paid if one.key not in given and one.tenant not in self.scene.spared]
            if fresh:
                one = self.chance.choice(fresh)
                [payment] = one.ids
                operation = self.want(
                    "refund",
                    "/api/billing/admin/refunds/",
                    payment=payment,
                    amount_cents=one.body["cents"] // 5,
                    reason="Chaos",
                )
                # What the product has not heard of yet cannot be given back: some other time.
                if operation.outcome is not Outcome.REFUSED:
                    given.add(one.key)
            self.scene.stopped.wait(self.chance.uniform(1, 3))


class Automatic(Actor):
    """An owner who switches automatic top-ups on as soon as there is a card."""

    def live(self) -> None:
        threshold = 500_000_000 if self.customer.tenant in self.scene.spared else 30_000_000
        settings = {"is_on": True, "threshold_micros": threshold, "amount_micros": 10_000_000}
        while not self.scene.stopped.is_set():
            try:
                answer = self.http.patch("/api/billing/profile/", json={"auto_topup": settings})
            except httpx.HTTPError:
                answer = None
            if answer is not None and answer.status_code == httpx.codes.OK:
                return
            self.scene.stopped.wait(1)
