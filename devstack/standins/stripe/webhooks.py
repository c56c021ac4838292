"""Sending webhooks: signed, retried until they are taken, and wrong in the ways that a knob asks for."""

import hmac
import json
import sqlite3
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from hashlib import sha256

from devstack.standins.stripe.errors import Json
from devstack.standins.stripe.world import World, public

TIMEOUT_S = 10.0
MAX_ATTEMPTS = 16
FIRST_PAUSE_S = 1.0
MAX_PAUSE_S = 60.0
IDLE_S = 0.5


def signature_header(payload: bytes, *, secret: str, timestamp: int, others: Sequence[str] = ()) -> str:
    """Return the `Stripe-Signature` header; `others` are secrets whose signatures come before the right one."""
    signatures = [f"v1={_sign(payload, one, timestamp)}" for one in (*others, secret)]
    return ",".join([f"t={timestamp}", *signatures])


def next_due(world: World) -> sqlite3.Row | None:
    """Return the delivery that is to be tried now, None when there is none."""
    statement = "SELECT * FROM deliveries WHERE state = 'pending' AND due_at <= ? ORDER BY due_at, seq LIMIT 1"
    return world.store.one(statement, world.clock())


def attempt(world: World, delivery: sqlite3.Row) -> int:
    """Try one delivery, write down how it went and return the status (0: no answer)."""
    payload, headers = _compose(world, delivery)
    status = _post(world.webhook_url, payload, headers)
    attempts = delivery["attempts"] + 1
    is_taken = 200 <= status < 300
    state = "delivered" if is_taken else "failed" if attempts >= MAX_ATTEMPTS else "pending"
    pause_s = min(MAX_PAUSE_S, FIRST_PAUSE_S * 2 ** (attempts - 1))
    world.store.execute(
        "UPDATE deliveries SET state = ?, attempts = ?, last_status = ?, due_at = ? WHERE seq = ?",
        *(state, attempts, status, world.clock() + pause_s, delivery["seq"]),
    )
    return status


def release_held(world: World, order: Sequence[str]) -> int:
    """Send what was held, in the order of these event ids (others after them, as recorded); return how many."""
    held = world.store.all("SELECT seq, event_id FROM deliveries WHERE state = 'held' ORDER BY seq")
    ranks = {event_id: rank for rank, event_id in enumerate(order)}
    ordered = sorted(held, key=lambda row: ranks.get(row["event_id"], len(ranks)))
    with world.store.transaction():
        for position, row in enumerate(ordered):
            # All are due now; a microsecond apart, so that they leave in this order.
            world.store.execute(
                "UPDATE deliveries SET state = 'pending', due_at = ? WHERE seq = ?",
                *(world.clock() - 1 + position * 1e-6, row["seq"]),
            )
    world.deliveries_due.set()
    return len(held)


class Sender:
    """The thread that delivers, one after the other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to deliver, also what an earlier life has left."""
        self._thread.start()

    def stop(self) -> None:
        """End after the delivery that is under way."""
        self._is_stopped.set()
        self.world.deliveries_due.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_stopped.is_set():
            delivery = next_due(self.world) if self.world.webhook_url else None
            if delivery is None:
                self.world.deliveries_due.wait(IDLE_S)
                self.world.deliveries_due.clear()
            else:
                attempt(self.world, delivery)


def _compose(world: World, delivery: sqlite3.Row) -> tuple[bytes, dict[str, str]]:
    event = public(world.store.get("event", delivery["event_id"])) | {"id": delivery["sent_as"]}
    # A fault is for the first attempt; a retry is genuine, as it would be after a flaw on the way.
    mangling: Json = json.loads(delivery["mangling"]) if delivery["attempts"] == 0 else {}
    kind = mangling.get("kind", "")
    if kind == "livemode":
        event["livemode"] = True
    if kind == "oversize":
        event["data"]["padding"] = "x" * int(mangling["count"])
    payload = json.dumps(event).encode()
    if kind == "broken_json":
        payload = payload[:-20]
    shift_s = {"old_timestamp": -1, "future_timestamp": 1}.get(kind, 0) * mangling.get("seconds", 0)
    secret = "whsec_wrong" if kind == "wrong_secret" else world.webhook_secret
    others = ["whsec_rotated_away"] if kind == "two_signatures" else []
    header = signature_header(payload, secret=secret, timestamp=int(world.clock() + shift_s), others=others)
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Stripe/1.0 (stand-in)"}
    return payload, headers if kind == "no_signature" else {**headers, "Stripe-Signature": header}


def _post(url: str, payload: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, data=payload, headers=headers, method="POST")  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0


def _sign(payload: bytes, secret: str, timestamp: int) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + payload, sha256).hexdigest()
