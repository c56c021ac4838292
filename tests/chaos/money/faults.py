"""What goes wrong, and when: all of it follows from the seed."""

import signal
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import httpx
import psutil

from devstack.stack import Stack
from devstack.supervision import SupervisorError
from tests.chaos.money.clients import Scene

# Victims by how often they die.
VICTIMS: Final = (
    "worker",
    "worker",
    "worker-child",
    "worker-child",
    "backend",
    "backend",
    "postgres",
    "valkey",
    "beat",
)
_STRIPE_FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "duplicate", "times": 3, "count": 3},
    {"kind": "new_id", "times": 3},
    {"kind": "drop", "times": 2},
    {"kind": "delay", "times": 3, "seconds": 1.5},
    {"kind": "hold", "times": 3},
    {"kind": "wrong_secret", "times": 1},
    {"kind": "broken_json", "times": 1},
    {"kind": "two_signatures", "times": 2},
    {"kind": "old_timestamp", "times": 1, "seconds": 900},
    {"kind": "lost", "times": 1, "match": "POST /v1/checkout/sessions"},
    {"kind": "lost", "times": 1, "match": "POST /v1/payment_intents"},
    {"kind": "lost", "times": 1, "match": "POST /v1/refunds"},
    {"kind": "status", "times": 2, "status": 500, "match": "POST /v1/"},
    {"kind": "status", "times": 1, "status": 500, "effect": True, "match": "POST /v1/"},
    {"kind": "status", "times": 2, "status": 429, "match": "GET /v1/"},
)
_MODEL_FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "status", "times": 2, "status": 500},
    {"kind": "status", "times": 2, "status": 429, "retry_after": "0"},
    {"kind": "cut", "times": 1},
    {"kind": "no_usage", "times": 1},
    {"kind": "usage", "times": 1, "usage": {"prompt_tokens": 10**9, "completion_tokens": -5, "total_tokens": 3}},
)


class Killer:
    """Sends SIGKILL to parts of this stack, and to nothing else; the supervisor starts them again."""

    def __init__(self, scene: Scene, *, first: Sequence[str] = ()) -> None:
        self.scene, self.chance = scene, scene.chance("killer")
        self.first = list(first)
        self.killed: Counter[str] = Counter()

    def live(self) -> None:
        while not self.scene.stopped.wait(self.chance.uniform(1.5, 4)):
            victim = self.first.pop(0) if self.first else self.chance.choice(VICTIMS)
            if self._kill(victim):
                self.killed[victim] += 1

    def _kill(self, victim: str) -> bool:
        stack = self.scene.stack
        try:
            if victim == "worker-child":
                return kill_a_child(stack, "worker")
            if not stack.pid(victim):
                return False
            stack.kill(victim, signal.SIGKILL)
        except (OSError, psutil.Error, SupervisorError):
            # It ended by itself in this moment.
            return False
        return True


def kill_a_child(stack: Stack, program: str) -> bool:
    """One process of a program's pool."""
    pid = stack.pid(program)
    children = psutil.Process(pid).children() if pid else []
    if not children:
        return False
    children[-1].kill()
    return True


class Knobs:
    """Turns the knobs of the stand-ins of Stripe and of the model."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.chance = scene, scene.chance("knobs")
        self.turned: Counter[str] = Counter()

    def live(self) -> None:
        urls = self.scene.stack.urls
        while not self.scene.stopped.wait(self.chance.uniform(0.3, 1.2)):
            is_model = self.chance.random() < 0.25
            fault = self.chance.choice(_MODEL_FAULTS if is_model else _STRIPE_FAULTS)
            post(f"{urls.llm if is_model else urls.stripe}/_knobs", fault)
            self.turned[f"{'model' if is_model else 'stripe'} {fault['kind']}"] += 1
            if self.chance.random() < 0.3:
                self._release()

    def _release(self) -> None:
        post(f"{self.scene.stack.urls.stripe}/_deliveries/release", {"order": "reversed"})


def heal(stack: Stack) -> None:
    """No more faults, and everything runs. A day has passed at Stripe: it has forgotten the keys with their answers.

    Whoever then asks again without having looked would pay twice.
    """
    for url in (f"{stack.urls.stripe}/_knobs", f"{stack.urls.llm}/_knobs", f"{stack.urls.stripe}/_idempotency"):
        httpx.delete(url, trust_env=False, timeout=20).raise_for_status()
    post(f"{stack.urls.stripe}/_deliveries/release", {"order": "reversed"})
    stack.start()


def post(url: str, body: dict[str, Any]) -> None:
    httpx.post(url, json=body, trust_env=False, timeout=20).raise_for_status()
