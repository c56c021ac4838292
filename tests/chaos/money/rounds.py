"""One seeded round after the other against one running product."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from devstack import programs
from devstack.stack import Stack
from tests.chaos.money import judge
from tests.chaos.money.calls import open_client
from tests.chaos.money.clients import Automatic, Customer, Payer, Scene, Spender, Staff, pursue, sign_in_staff, sign_up
from tests.chaos.money.faults import Killer, Knobs, heal
from tests.chaos.money.journal import Journal

CUSTOMERS: Final = 3
QUIET_WITHIN_S: Final = 120.0
_WANTED: Final = [name for name in programs.ALL if name not in {"frontend", "standin-mail"}]
_LIMITS: Final = ("api_token", "api_address", "jobs_tenant", "topup_tenant", "payment_check_tenant", "refund_account")
# What waits for its time; a hint that was lost with the broker is repeated after a minute.
_DUE: Final = (
    ("billing_stripeevent", "due_at"),
    ("billing_paymentattempt", "look_at"),
    ("billing_paymentrefund", "look_at"),
    ("orchestration_jobrun", "next_dispatch_at"),
)
_DUTIES: Final = """
from apps.common import clock
from apps.billing.services.payments.reconciling import reconcile
reconcile(clock=clock.now)
"""


@dataclass
class Report:
    """How a round went. It passed when there is no complaint."""

    seed: str
    seconds: float
    scene: Scene
    figures: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """A table of figures, and what is wrong."""
        width = max(map(len, self.figures), default=0)
        head = f"seed {self.seed}, {self.seconds:.0f} s: {'FAILED' if self.complaints else 'passed'}"
        table = [f"  {name:<{width}} {value:>8,}" for name, value in self.figures.items()]
        return [head, *table, *(f"  ! {complaint}" for complaint in self.complaints)]


@contextmanager
def running_product() -> Iterator[Stack]:
    """The product with leases of a few seconds and duties that come by every other second."""
    limits = ",".join(f"{name}=1000000/60" for name in _LIMITS)
    env = {"DJANGO_SETTINGS_MODULE": "config.settings.chaos", "HOLD_LEASE_SECONDS": "5", "RATE_LIMITS": limits}
    stack = Stack(env=env, wanted=_WANTED)
    stack.update_env({"LLM_BASE_URL": f"{stack.urls.llm}/v1", "LLM_API_KEY": "key", "LLM_MODEL": "gpt-4o-mini"})
    with stack:
        quicken(stack)
        yield stack


def quicken(stack: Stack) -> None:
    """Duties of a few seconds come by every two."""
    judge.change(
        stack,
        "UPDATE django_celery_beat_intervalschedule SET every = 2 WHERE period = 'seconds' AND every BETWEEN 3 AND 60",
    )
    stack.restart("beat")


def play(stack: Stack, *, seed: str, seconds: float, customers: int = CUSTOMERS, victims: Sequence[str] = ()) -> Report:
    """Clients and faults for so many seconds; then healing, rest, and judgement. `victims` are killed first."""
    names = [f"chaos{time.monotonic_ns()}n{number}" for number in range(customers)]
    scene = Scene(stack=stack, journal=Journal(), seed=seed, spared=frozenset(names[:1]))
    people = [sign_up(stack, name) for name in names]
    staff = Customer(tenant="staff", token=sign_in_staff(stack))
    killer, knobs = Killer(scene, first=victims), Knobs(scene)
    actors: list[Spender | Payer | Staff | Automatic] = [Staff(scene, staff, name="staff")]
    for person in people:
        actors += [Spender(scene, person, name="one"), Spender(scene, person, name="two")]
        actors += [Payer(scene, person, name="payer"), Automatic(scene, person, name="automatic")]
    began = time.monotonic()
    threads = scene.run(*(actor.live for actor in actors), killer.live, knobs.live)
    time.sleep(seconds)
    scene.stopped.set()
    for thread in threads:
        thread.join(timeout=60)
    for actor in actors:
        actor.http.close()
    heal(stack)
    tokens = {person.tenant: person.token for person in (*people, staff)}
    complaints = [*_find_out(scene, tokens), *_come_to_rest(stack), *judge.judge(scene, names)]
    report = Report(seed=seed, scene=scene, seconds=time.monotonic() - began, complaints=complaints)
    report.figures = _count(scene, killer, knobs)
    return report


def _find_out(scene: Scene, tokens: dict[str, str]) -> list[str]:
    """Everybody who does not know yet asks once more, with the same key, until they do."""
    deadline = time.monotonic() + QUIET_WITHIN_S
    with open_client(scene.stack.urls.backend) as http:
        while waiting := [one for one in scene.journal if one.is_open and one.kind in {"spend", "topup", "refund"}]:
            for operation in waiting:
                http.headers["Authorization"] = tokens[operation.tenant]
                pursue(http, operation)
            if time.monotonic() > deadline:
                return [f"{len(waiting)} clients got no answer within {QUIET_WITHIN_S:.0f} s"]
            time.sleep(0.5)
    return []


def _come_to_rest(stack: Stack) -> list[str]:
    """Waits until nothing is under way; what would be looked at in minutes is looked at now."""
    deadline = time.monotonic() + QUIET_WITHIN_S
    stack.manage("backend", "shell", "-c", _DUTIES)
    while unrest := judge.list_unrest(stack):
        if time.monotonic() > deadline:
            return [f"still under way after {QUIET_WITHIN_S:.0f} s: {', '.join(unrest)}"]
        for table, column in _DUE:
            judge.change(stack, f"UPDATE {table} SET {column} = now() WHERE {column} > now()")  # noqa: S608
        time.sleep(3)
    return []


def _count(scene: Scene, killer: Killer, knobs: Knobs) -> dict[str, int]:
    figures: dict[str, int] = {}
    for kind, outcomes in sorted(scene.journal.count().items()):
        figures |= {f"{kind}: {outcome}": count for outcome, count in sorted(outcomes.items())}
    figures["answers that left the client in doubt"] = sum(
        not answer[0].isdigit() or answer.startswith("5") for one in scene.journal for answer in one.answers
    )
    figures |= {f"killed: {victim}": count for victim, count in sorted(killer.killed.items())}
    figures["knobs turned"] = sum(knobs.turned.values())
    for name, table in (
        ("ledger entries", "billing_reserveledgerentry"),
        ("usage events", "billing_usageevent"),
        ("losses of the house", "billing_lossentry"),
        ("messages from Stripe", "billing_stripeevent"),
        ("automatic payments", "billing_paymentattempt WHERE kind = 'automatic'"),
    ):
        [(figures[f"in the database: {name}"],)] = judge.query(scene.stack, f"SELECT count(*) FROM {table}")  # noqa: S608
    journal = judge.fetch(f"{scene.stack.urls.stripe}/_journal")
    figures["at Stripe: cents that stayed"] = journal["total"]
    return figures


def run(seeds: Sequence[str], *, seconds: float) -> Iterator[Report]:
    """One round for each seed."""
    with running_product() as stack:
        for seed in seeds:
            yield play(stack, seed=seed, seconds=seconds)
