"""A Stripe stand-in in a thread, a real client of it, and an endpoint that takes its webhooks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import stripe

from devstack.standins.stripe.server import make_application
from devstack.standins.stripe.store import Store
from devstack.standins.stripe.webhooks import Sender
from devstack.standins.stripe.world import World
from devstack.standins.web import Request, Response, serving

KEY = "sk_test_key"
SECRET = "whsec_test"


@dataclass
class Endpoint:
    """Takes webhooks: checks the signature as the product would and keeps what came."""

    events: list[Any] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Request) -> Response:
        with self.lock:
            status = self.statuses.pop(0) if self.statuses else 200
            try:
                signature = request.headers.get("stripe-signature", "")
                event = stripe.Webhook.construct_event(request.body, signature, SECRET)
            except (stripe.SignatureVerificationError, ValueError) as error:
                self.refused.append(type(error).__name__)
                return Response(status=400)
            if status == 200:
                self.events.append(event)
            return Response(status=status)

    @property
    def types(self) -> list[str]:
        """The types of the events that were taken."""
        return [event.type for event in self.events]


@dataclass
class StripeServer:
    """The stand-in with its client."""

    url: str
    world: World
    endpoint: Endpoint
    client: stripe.StripeClient

    def turn(self, **knob: object) -> None:
        """Set a fault."""
        self.control("POST", "knobs", **knob)

    def control(self, method: str, path: str, **body: object) -> Any:
        """Ask for something beside the API; the answer must be good."""
        answer = httpx.request(method, f"{self.url}/_{path}", json=body or None)
        answer.raise_for_status()
        return answer.json()

    def money(self) -> list[tuple[str, int]]:
        """What the journal of money holds."""
        return [(entry["kind"], entry["amount"]) for entry in self.control("GET", "journal")["entries"]]

    def pay(self, amount: int = 2000, **params: Any) -> stripe.PaymentIntent:
        """Take money off session with a card that works."""
        customer = params.pop("customer", None) or self.client.v1.customers.create({"email": "a@example.com"}).id
        described = {
            "amount": amount,
            "currency": "usd",
            "customer": customer,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "off_session": True,
            **params,
        }
        return self.client.v1.payment_intents.create(described)  # type: ignore[arg-type]

    def pay_with_key(self, key: str) -> stripe.PaymentIntent:
        """Take seven dollars under an idempotency key."""
        params: Any = {"amount": 700, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
        return self.client.v1.payment_intents.create(params, {"idempotency_key": key})

    def open_session(self, **params: Any) -> stripe.checkout.Session:
        """Open a Checkout session for 20 dollars."""
        price = {"currency": "usd", "unit_amount": 2000, "product_data": {"name": "Reserve"}}
        described = {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "success_url": "http://127.0.0.1:9/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1:9/back",
            "metadata": {"attempt": "a1"},
            **params,
        }
        return self.client.v1.checkout.sessions.create(described)  # type: ignore[arg-type]


@contextmanager
def stripe_server(*, store: Store | None = None, sends: bool = False) -> Iterator[StripeServer]:
    """Serve a stand-in on ephemeral ports; with `sends` it delivers its webhooks to an endpoint of its own."""
    endpoint = Endpoint()
    world = World(store=store or Store(None), secret_key=KEY, webhook_secret=SECRET)
    with serving(make_application(world)) as url, serving(endpoint) as endpoint_url:
        world.base_url = url
        world.webhook_url = endpoint_url if sends else ""
        sender = Sender(world)
        sender.start()
        client = stripe.StripeClient(KEY, base_addresses={"api": url}, max_network_retries=0)
        yield StripeServer(url=url, world=world, endpoint=endpoint, client=client)
        sender.stop()
