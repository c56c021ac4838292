"""Stripe for tests: the stand-in of the development stack in a thread, and what happens at it and after it.

`stripe` (a fixture, made known by tests/conftest.py) serves a fresh stand-in and points the settings at it. Its events
go nowhere by themselves: a test delivers them, by the webhook or straight into the inbox, in whatever order it likes.
"""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2 as httpx
import pytest
from django.conf import LazySettings
from django.test import Client

from devstack.standins.stripe.server import make_application
from devstack.standins.stripe.store import Store
from devstack.standins.stripe.webhooks import signature_header
from devstack.standins.stripe.world import World
from devstack.standins.web import serving

SECRET_KEY = "sk_test_backend"
WEBHOOK_SECRET = "whsec_backend"
WEBHOOK_PATH = "/api/billing/webhook/"


@dataclass
class StripeWorld:
    """One account of Stripe, as a test moves it."""

    url: str
    world: World
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    # --- Knobs and journals ------------------------------------------------------------------------------------------
    def turn(self, **knob: object) -> None:
        """Sets a fault; see devstack.standins.stripe.knobs."""
        self.control("POST", "knobs", **knob)

    def clear_knobs(self) -> None:
        self.control("DELETE", "knobs")

    def forget_keys(self) -> None:
        """Forgets all idempotency keys, as Stripe does after a day."""
        self.control("DELETE", "idempotency")

    def control(self, method: str, path: str, **body: object) -> Any:
        """Asks for something beside the API; the answer must be good."""
        answer = self.client.request(method, f"{self.url}/_{path}", json=body or None)
        assert answer.status_code in {200, 402}, answer.text
        return answer.json()

    def money(self) -> list[tuple[str, int]]:
        """Money that really moved, in cents."""
        return [(entry["kind"], entry["amount"]) for entry in self.control("GET", "journal")["entries"]]

    def taken_cents(self) -> int:
        return sum(amount for kind, amount in self.money() if kind == "payment")

    def requests(self, *, method: str = "POST", path: str = "") -> list[dict[str, Any]]:
        """Requests of the API that were served."""
        served = self.control("GET", "requests")["requests"]
        return [one for one in served if one["method"] == method and one["path"].startswith(path)]

    def objects(self, kind: str) -> list[dict[str, Any]]:
        """All objects of a kind, oldest first."""
        return self.world.store.list_kind(kind)[::-1]

    # --- What people and banks do ------------------------------------------------------------------------------------
    def pay(self, session_id: str, *, card: str = "pm_card_visa", **body: object) -> Any:
        """Somebody pays on the hosted page."""
        return self.control("POST", f"checkout/{session_id}/pay", card=card, **body)

    def settle(self, session_id: str, *, succeeds: bool = True) -> Any:
        """The bank's word on a payment that was processing."""
        return self.control("POST", f"checkout/{session_id}/settle", succeeds=succeeds)

    def settle_payment(self, payment_intent_id: str, *, succeeds: bool = True) -> Any:
        return self.control("POST", f"payment_intents/{payment_intent_id}/settle", succeeds=succeeds)

    def refund(
        self, payment_intent_id: str, *, amount_cents: int | None = None, refund_row_id: UUID | None = None
    ) -> Any:
        """A refund that was made at Stripe's dashboard, or by a request of ours whose answer was lost."""
        data: dict[str, Any] = {"payment_intent": payment_intent_id}
        if amount_cents is not None:
            data["amount"] = amount_cents
        if refund_row_id is not None:
            data["metadata[refund]"] = str(refund_row_id)
        return self.api("POST", "/v1/refunds", **data)

    def settle_refund(self, refund_id: str, *, succeeds: bool = True) -> Any:
        return self.control("POST", f"refunds/{refund_id}/settle", succeeds=succeeds)

    def dispute(self, payment_intent_id: str, *, amount_cents: int | None = None) -> Any:
        body = {"payment_intent": payment_intent_id} | ({} if amount_cents is None else {"amount": amount_cents})
        return self.control("POST", "disputes", **body)

    def advance_dispute(self, dispute_id: str, phase: str) -> Any:
        """`withdraw`, `reinstate`, `win` or `lose`."""
        return self.control("POST", f"disputes/{dispute_id}/{phase}")

    def charge(self, customer_id: str, *, amount_cents: int = 2000, attempt_id: UUID | None = None) -> Any:
        """A payment that somebody else has made with our key, and that may name an attempt of ours."""
        asked = {"amount": amount_cents, "currency": "usd", "customer": customer_id, "payment_method": "pm_card_visa"}
        named = {} if attempt_id is None else {"metadata[attempt]": str(attempt_id)}
        return self.api("POST", "/v1/payment_intents", **asked, **named, confirm="true")

    def api(self, method: str, path: str, **data: object) -> Any:
        """A request of the v1 API by somebody else with our key, such as Stripe's dashboard."""
        headers = {"Authorization": f"Bearer {SECRET_KEY}"}
        answer = self.client.request(method, f"{self.url}{path}", data=data or None, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    # --- Messages ----------------------------------------------------------------------------------------------------
    def events(self, *types: str) -> list[dict[str, Any]]:
        """All events so far, oldest first, or those of these types (a type may end in `*`)."""
        found = self.objects("event")
        return [event for event in found if not types or any(_fits(event["type"], one) for one in types)]

    def send(
        self,
        event: dict[str, Any],
        *,
        client: Client | None = None,
        secret: str = WEBHOOK_SECRET,
        at: float | None = None,
        body: bytes | None = None,
    ) -> Any:
        """Delivers an event to our webhook, signed as Stripe does."""
        payload = json.dumps(event).encode() if body is None else body
        signature = signature_header(payload, secret=secret, timestamp=int(time.time() if at is None else at))
        return (client or Client()).post(
            WEBHOOK_PATH, payload, content_type="application/json", headers={"Stripe-Signature": signature}
        )

    def send_all(self, events: Sequence[dict[str, Any]] | None = None) -> None:
        """Delivers these events (all so far, as they happened) to our webhook; each must be taken."""
        for event in self.events() if events is None else events:
            assert self.send(event).status_code == 200


def _fits(event_type: str, wanted: str) -> bool:
    return event_type.startswith(wanted[:-1]) if wanted.endswith("*") else event_type == wanted


@pytest.fixture
def stripe(settings: LazySettings) -> Iterator[StripeWorld]:
    """A fresh account of Stripe that the settings point at."""
    world = World(store=Store(None), secret_key=SECRET_KEY, webhook_secret=WEBHOOK_SECRET)
    with ExitStack() as stack:
        url = stack.enter_context(serving(make_application(world)))
        world.base_url = url
        settings.STRIPE_SECRET_KEY = SECRET_KEY
        settings.STRIPE_WEBHOOK_SECRETS = [WEBHOOK_SECRET]
        settings.STRIPE_API_BASE = url
        settings.STRIPE_TIMEOUT_SECONDS = 5
        stripe = StripeWorld(url=url, world=world)
        stack.callback(stripe.client.close)
        yield stripe
