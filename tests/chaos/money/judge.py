"""What must be true when all has healed: each operation is judged by what its client was told."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg

from devstack.lifecycle import StackError
from devstack.stack import Stack
from tests.chaos.money.clients import Scene
from tests.chaos.money.journal import Journal, Operation, Outcome

_TENANTS = """
    SELECT u.username, m.tenant_id FROM accounts_user u JOIN tenants_profile m ON m.user_id = u.id
"""


def query(stack: Stack, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Rows of all customers, read as the house reads them."""
    with psycopg.connect(stack.env["DATABASE_URL"]) as connection:
        connection.execute("SELECT set_config('afterresume.scope', 'everything', true)")
        return connection.execute(sql.encode(), values).fetchall()


def change(stack: Stack, sql: str) -> None:
    """One statement over rows of all customers."""
    with psycopg.connect(stack.env["DATABASE_URL"]) as connection:
        connection.execute("SELECT set_config('afterresume.scope', 'everything', true)")
        connection.execute(sql.encode())


def list_unrest(stack: Stack) -> list[str]:
    """What is still under way.

    What Stripe does not know after five questions never began; the product waits for minutes before it says so.
    """
    questions = {
        "open holds": "SELECT count(*) FROM billing_reservehold WHERE state = 'open'",
        "jobs": "SELECT count(*) FROM orchestration_job WHERE state NOT IN"
        " ('succeeded', 'failed', 'cancelled', 'blocked')",
        "messages": "SELECT count(*) FROM billing_stripeevent WHERE state IN ('received', 'failed')",
        "automatic payments": "SELECT count(*) FROM billing_paymentattempt WHERE kind = 'automatic'"
        " AND state IN ('created', 'open', 'ambiguous') AND looks < 5",
        "refunds": "SELECT count(*) FROM billing_paymentrefund WHERE state IN ('created', 'ambiguous') AND looks < 5",
    }
    return [f"{count} {name}" for name, question in questions.items() for (count,) in query(stack, question) if count]


def judge(scene: Scene, tenants: list[str]) -> Iterator[str]:
    """Every complaint there is; none is a pass."""
    yield from scene.failures
    yield from _judge_classes(scene.journal)
    yield from _judge_ids(scene.journal)
    for tenant in tenants:
        yield from _judge_spends(scene, tenant)
        yield from _judge_payments(scene, tenant)
    yield from _judge_refunds(scene)
    yield from _judge_calls(scene.stack)
    yield from _judge_messages(scene.stack)
    yield from prove(scene.stack)


def _judge_classes(journal: Journal) -> Iterator[str]:
    for one in journal:
        if one.outcome is Outcome.UNCLASSIFIED or one.is_open:
            yield f"{one.kind} {one.key} of {one.tenant} ended {one.outcome}: {one.answers[-3:]}"


def _judge_ids(journal: Journal) -> Iterator[str]:
    """One key made one thing, and no two keys the same."""
    makers: dict[str, Operation] = {}
    for one in journal:
        if one.kind not in {"spend", "topup", "refund"}:
            continue
        if len(one.ids) > 1:
            yield f"{one.kind} {one.key} was done more than once: {sorted(one.ids)}"
        for made in one.ids:
            if makers.setdefault(made, one) is not one:
                yield f"{one.kind} {one.key} and {makers[made].key} share {made}"


def _confirmed(scene: Scene, kind: str, tenant: str) -> set[str]:
    done = (one for one in scene.journal.of(kind, tenant=tenant) if one.outcome is Outcome.CONFIRMED)
    return {made for one in done for made in one.ids}


def _judge_spends(scene: Scene, tenant: str) -> Iterator[str]:
    jobs = query(
        scene.stack,
        f"SELECT job.id, job.state FROM orchestration_job job JOIN ({_TENANTS}) t ON t.tenant_id = job.tenant_id"  # noqa: S608
        " WHERE t.username = %s",
        tenant,
    )
    there, told = {str(job) for job, _ in jobs}, _confirmed(scene, "spend", tenant)
    for job in told - there:
        yield f"job {job} of {tenant} was confirmed and is lost"
    for job in there - told:
        yield f"job {job} of {tenant} is there and nobody was told"


def _judge_payments(scene: Scene, tenant: str) -> Iterator[str]:
    rows = query(
        scene.stack,
        f"SELECT p.id, p.state, p.amount_micros FROM billing_paymentattempt p JOIN ({_TENANTS}) t"  # noqa: S608
        " ON t.tenant_id = p.tenant_id WHERE t.username = %s AND p.kind = 'checkout'",
        tenant,
    )
    there = {str(payment): (state, micros) for payment, state, micros in rows}
    told = _confirmed(scene, "topup", tenant)
    for payment in told ^ set(there):
        yield f"payment {payment} of {tenant} was {'confirmed and is lost' if payment in told else 'told to nobody'}"
    paid = {payment: one for one in scene.journal.of("pay", tenant=tenant) for payment in one.ids}
    for payment, (state, micros) in there.items():
        one = paid.get(payment)
        is_paid = one is not None and one.outcome is Outcome.CONFIRMED
        if is_paid != (state == "succeeded"):
            yield f"payment {payment} of {tenant} is {state}, its customer {'paid' if is_paid else 'did not pay'}"
        if one is not None and micros != one.body["cents"] * 10_000:
            yield f"payment {payment} of {tenant} is of {micros}, its customer paid {one.body['cents']} cents"


def _judge_refunds(scene: Scene) -> Iterator[str]:
    rows = query(scene.stack, "SELECT id, state, amount_micros FROM billing_paymentrefund")
    there = {str(refund): (state, micros) for refund, state, micros in rows}
    for one in scene.journal.of("refund"):
        if one.outcome is not Outcome.CONFIRMED:
            continue
        [refund] = one.ids
        state, micros = there.get(refund, ("lost", 0))
        # Its client may have been told that the outcome is not known yet; Stripe's lists are compared by the proof.
        is_well = state == "succeeded" or (state != "lost" and one.result["state"] != "succeeded")
        if not is_well or micros != one.body["amount_cents"] * 10_000:
            yield f"refund {refund} was told as {one.result['state']} and is {state}, of {micros}"


def _judge_calls(stack: Stack) -> Iterator[str]:
    """The model's own journal against our books: no answer was forgotten, and none was made up."""
    served = sum(call["is_served"] for call in fetch(f"{stack.urls.llm}/_journal")["calls"])
    states: Counter[str] = Counter(dict(query(stack, "SELECT state, count(*) FROM llm_llmcall GROUP BY 1")))
    [(attempts,)] = query(stack, "SELECT coalesce(sum(greatest(attempts, 1)), 0) FROM llm_llmcall")
    if not states["answered"] <= served:
        yield f"the model served {served} calls, {states['answered']} are answered"
    possible = attempts + 3 * (states["lost"] + states["failed"])
    if served > possible:
        yield f"the model served {served} calls, the books know of {possible} at most"


def _judge_messages(stack: Stack) -> Iterator[str]:
    for event, reason in query(stack, "SELECT event_id, last_error FROM billing_stripeevent WHERE state = 'parked'"):
        yield f"message {event} was parked: {reason}"


def prove(stack: Stack) -> Iterator[str]:
    """The eight rules, Stripe's lists among them, with no allowance for what is under way."""
    try:
        stack.manage("backend", "prove_money", "--grace-seconds", "0")
    except StackError as error:
        yield str(error)


def fetch(url: str) -> Any:
    return httpx.get(url, trust_env=False, timeout=30).json()
