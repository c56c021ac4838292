"""P3: what the ledger can write. Each debit is durable: the client goes on when the disk has it."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

from devstack.net import with_database
from devstack.postgres import ensure_database
from tests.bench import pgbench
from tests.bench.clients import ROOT, Counted, python_module, run_clients
from tests.bench.figures import Figure, middle
from tests.bench.product import Product

ROUNDS = 2
SECONDS = 4
ACCOUNTS = 1_000
CLIENTS = 4
HOT_CLIENTS = 8
BATCH = 100
WARM_BATCHES = 30
# What one client may use up in a round, of the credits that are seeded.
DEBITS = 1_200
PGBENCH_DEBITS = 1_500
HOT_DEBITS = 300
HOT_PGBENCH_DEBITS = 250
MANY = ROUNDS * CLIENTS * (DEBITS + PGBENCH_DEBITS)
HOT = ROUNDS * HOT_CLIENTS * (HOT_DEBITS + HOT_PGBENCH_DEBITS)

HORDAK = ROOT / "tests" / "bench" / "hordak"
HORDAK_PYTHON = ROOT / ".cache" / "bench" / "bin" / "python"


@dataclass
class Ledger:
    """The seeded accounts, and which of their credits are used up."""

    product: Product
    hordak_url: str
    used: dict[str, int] = field(default_factory=lambda: {"bench_many": 0, "bench_hot": 0})

    def take(self, table: str, count: int) -> int:
        """The first of `count` credits that nobody has used."""
        first = self.used[table]
        self.used[table] += count
        return first

    def run(self, program: str, arguments: list[tuple[int, ...]]) -> Counted:
        """Clients of the product, one for each tuple of arguments."""
        commands = [python_module(f"tests.bench.inside.{program}", *each, SECONDS) for each in arguments]
        return run_clients(commands, env=self.product.env, cwd=ROOT, seconds=SECONDS)

    def debit(self) -> Counted:
        """Single debits on many accounts."""
        return self.run("debits", [(0, self.take("bench_many", DEBITS), DEBITS) for _ in range(CLIENTS)])

    def debit_hot(self) -> Counted:
        """Single debits on one account."""
        return self.run("debits", [(1, self.take("bench_hot", HOT_DEBITS), HOT_DEBITS) for _ in range(HOT_CLIENTS)])

    def call(self) -> Counted:
        """Quote, hold and settlement."""
        return self.run("calls", [(client * DEBITS, DEBITS) for client in range(CLIENTS)])

    def meter(self) -> Counted:
        """Batches of use."""
        return self.run("uses", [(client * DEBITS, DEBITS, BATCH) for client in range(CLIENTS)])

    def pgbench(self, table: str, *, clients: int, span: int) -> float:
        """The reference."""
        first = self.take(table, clients * span)
        return pgbench.run_debits(
            database_url=self.product.url, table=table, first=first, span=span, clients=clients
        ).rate

    def transfer(self) -> Counted:
        """django-hordak's transfers."""
        commands = [[str(HORDAK_PYTHON), "transfers.py", "run", str(SECONDS), str(seed)] for seed in range(CLIENTS)]
        return run_clients(commands, env={"HORDAK_DATABASE_URL": self.hordak_url}, cwd=HORDAK, seconds=SECONDS)


@dataclass
class Rounds:
    """What each round gave, by name."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    slowest_ms: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, measured: Counted | float) -> None:
        rate = measured.rate if isinstance(measured, Counted) else measured
        self.rates.setdefault(name, []).append(rate)
        if isinstance(measured, Counted) and measured.latencies_ms:
            self.slowest_ms.setdefault(name, []).append(measured.latency_ms(0.99))

    def rate(self, name: str) -> float:
        return middle(self.rates[name])

    def latency(self, name: str) -> str:
        return f"p99 {middle(self.slowest_ms[name]):.1f} ms"


def run(product: Product, *, say: Callable[[str], None]) -> list[Figure]:
    """Seeds, measures the product and its references in turns, and compares."""
    say("P3: seeding")
    ledger = prepare(product)
    rounds = Rounds()
    acts: dict[str, Callable[[], Counted | float]] = {
        "pgbench": lambda: ledger.pgbench("bench_many", clients=CLIENTS, span=PGBENCH_DEBITS),
        "debits": ledger.debit,
        "hordak": ledger.transfer,
        "calls": ledger.call,
        "uses": ledger.meter,
        "pgbench on one account": lambda: ledger.pgbench("bench_hot", clients=HOT_CLIENTS, span=HOT_PGBENCH_DEBITS),
        "debits on one account": ledger.debit_hot,
    }
    for number in range(ROUNDS):
        for name, act in acts.items():
            rounds.add(name, act())
            say(f"P3, round {number + 1}: {name} {rounds.rates[name][-1]:,.0f}/s")
    return compare(rounds)


def prepare(product: Product) -> Ledger:
    """The accounts of both ledgers, in two databases of the same server."""
    product.run_as_owner("seed", ACCOUNTS, -(-MANY // ACCOUNTS), HOT)
    product.run_as_owner("warm", WARM_BATCHES, BATCH)
    product.grant_reading("bench_many", "bench_hot")
    hordak_url = with_database(product.owner_url, "bench_hordak")
    ensure_database(hordak_url)
    seed = [str(HORDAK_PYTHON), "transfers.py", "seed", str(ACCOUNTS)]
    subprocess.run(seed, env={"HORDAK_DATABASE_URL": hordak_url}, cwd=HORDAK, check=True)
    return Ledger(product=product, hordak_url=hordak_url)


def compare(rounds: Rounds) -> list[Figure]:
    """The figures of P3."""
    single = "single debits (`post_entry`, credit_expiry), 4 processes, 1,000 accounts"

    def figure(id_: str, what: str, name: str, reference: str, aim: float | None, unit: str = "debits/s") -> Figure:
        note = rounds.latency(name)
        return Figure(
            id=id_,
            what=what,
            value=rounds.rate(name),
            unit=unit,
            reference_name=reference,
            reference=rounds.rate(reference),
            aim=aim,
            rounds=tuple(rounds.rates[name]),
            note=note,
        )

    return [
        figure("P3a", single, "debits", "pgbench", 0.35),
        figure("P3a", single, "debits", "hordak", 2.0),
        figure("P3a", "quote + hold + settlement (two commits), 4 processes", "calls", "pgbench", None, "calls/s"),
        figure("P3b", f"usage events settled in batches of {BATCH}, 4 processes", "uses", "pgbench", 1.5, "events/s"),
        figure(
            "P3c", "single debits on one account, 8 clients", "debits on one account", "pgbench on one account", 0.35
        ),
    ]
