"""What every part of the stand-in works on: the store, the faults, the clock, the events, the journal of money."""

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from devstack.standins.stripe.errors import Json
from devstack.standins.stripe.knobs import WEBHOOK_KINDS, Knob, Knobs
from devstack.standins.stripe.store import Store

API_VERSION = "2026-10-28.endive"
# Faults that change what is sent rather than whether and when.
MANGLING_KINDS = WEBHOOK_KINDS[5:]


@dataclass
class World:
    """One Stripe account in test mode. `base_url` is where browsers find the hosted pages."""

    store: Store
    base_url: str = ""
    secret_key: str = ""
    webhook_url: str = ""
    webhook_secret: str = ""
    knobs: Knobs = field(default_factory=Knobs)
    clock: Callable[[], float] = time.time
    deliveries_due: threading.Event = field(default_factory=threading.Event)

    def now(self) -> int:
        """Return the time in whole seconds, as Stripe writes it."""
        return int(self.clock())

    def make(self, kind: str, prefix: str, **values: object) -> Json:
        """Save and return a new object with an id, `created` and `livemode` false."""
        head = {"id": self.new_id(prefix), "object": kind, "created": self.now(), "livemode": False}
        return self.store.save({**head, **values})

    def new_id(self, prefix: str) -> str:
        """Return a fresh id."""
        return f"{prefix}_{secrets.token_hex(12)}"

    def note_money(self, kind: str, amount: int, *, currency: str, payment_intent: str, reference: str) -> None:
        """Write down money that moved: cents, positive when it came to us."""
        self.store.execute(
            "INSERT INTO money (at, kind, amount, currency, payment_intent, reference) VALUES (?, ?, ?, ?, ?, ?)",
            *(self.now(), kind, amount, currency, payment_intent, reference),
        )

    def emit(self, event_type: str, subject: Json) -> Json:
        """Record an event about an object as it is now, and plan its delivery."""
        event = self.make(
            "event",
            "evt",
            api_version=API_VERSION,
            type=event_type,
            data={"object": public(subject)},
            pending_webhooks=1 if self.webhook_url else 0,
            request={"id": None, "idempotency_key": None},
        )
        if self.webhook_url:
            self._plan(event)
        return event

    def deliver_again(self, event_id: str, *, as_new_event: bool = False) -> None:
        """Plan one more delivery of a recorded event, on request under a new id."""
        self._insert_delivery(self.store.get("event", event_id), sent_as=self.new_id("evt") if as_new_event else "")

    def _plan(self, event: Json) -> None:
        knob = self.knobs.take(WEBHOOK_KINDS, event["type"])
        kind = knob.kind if knob else ""
        state = {"drop": "dropped", "hold": "held"}.get(kind, "pending")
        copies = knob.count if knob is not None and kind == "duplicate" else 1
        for _ in range(copies):
            self._insert_delivery(event, state=state, knob=knob)
        if kind == "new_id":
            self._insert_delivery(event, sent_as=self.new_id("evt"))

    def _insert_delivery(
        self, event: Json, *, sent_as: str = "", state: str = "pending", knob: Knob | None = None
    ) -> None:
        delay_s = knob.seconds if knob is not None and knob.kind == "delay" else 0.0
        mangling = {}
        if knob is not None and knob.kind in MANGLING_KINDS:
            mangling = {"kind": knob.kind, "seconds": knob.seconds, "count": knob.count}
        self.store.execute(
            "INSERT INTO deliveries (event_id, sent_as, state, due_at, mangling) VALUES (?, ?, ?, ?, ?)",
            *(event["id"], sent_as or event["id"], state, self.clock() + delay_s, json.dumps(mangling)),
        )
        self.deliveries_due.set()


def public(value: Json) -> Json:
    """Return an object without what only the stand-in knows about it (names that begin with an underscore)."""
    return {name: public(part) if isinstance(part, dict) else part for name, part in value.items() if name[:1] != "_"}
