"""The worker is killed between the model's answer and the settlement: never silently free, never twice."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from devstack.stack import Stack
from tests.api_journey import Traveller

DAY = "2026-11-20"


@pytest.fixture
def person(stack: Stack) -> Iterator[Traveller]:
    traveller = Traveller(stack.urls.backend)
    traveller.sign_up(name=f"person{time.monotonic_ns()}", passkey=stack.create_passkey(promo_credit="5.00"))
    yield traveller
    traveller.close()


@pytest.fixture
def killing_worker(stack: Stack) -> Iterator[None]:
    """The worker kills itself when the model has answered, until the test heals it."""
    stack.update_env({"FAILPOINTS": "after_llm_response=kill"})
    stack.restart("worker")
    yield
    heal(stack)


def heal(stack: Stack) -> None:
    stack.update_env({"FAILPOINTS": ""})
    stack.restart("worker")


def query(stack: Stack, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(stack.env["DATABASE_URL"]) as connection:
        # Rows of customers show themselves to whoever says for whom they look.
        connection.execute("SELECT set_config('afterresume.scope', 'everything', true)")
        return connection.execute(sql).fetchall()


def wait_for_a_sent_call(stack: Stack) -> None:
    deadline = time.monotonic() + 30
    while not query(stack, "SELECT 1 FROM llm_llmcall WHERE state = 'sent'"):
        assert time.monotonic() < deadline, "no call was sent"
        time.sleep(0.1)


def count_served_calls(stack: Stack) -> int:
    """How many answers the model gave: its own journal is the truth that ours is held against."""
    journal = httpx.get(f"{stack.urls.llm}/_journal", trust_env=False).json()
    return sum(call["is_served"] for call in journal["calls"])


@pytest.mark.failure("M11", "M37")
def test_a_killed_call_is_in_exactly_one_of_usage_and_loss(
    stack: Stack, person: Traveller, killing_worker: None
) -> None:
    person.write_entry("Cut invoice run from 40 to 6 min", occurred_on=DAY)
    _, job_id = person.ask_for_report(day=DAY, key="crash")
    wait_for_a_sent_call(stack)
    heal(stack)
    job = person.wait_for_job(job_id)

    events = person.call("GET", f"/api/jobs/{job_id}/events/?page_size=100", expect=200)["results"]
    assert job["state"] == "succeeded", [(event["at"], event["name"], event["data"]) for event in events]
    outcomes = query(
        stack,
        """
        SELECT call.state,
               (SELECT count(*) FROM billing_usageevent event WHERE event.call_id = call.id),
               (SELECT count(*) FROM billing_lossentry loss WHERE loss.call_id = call.id)
        FROM llm_llmcall call ORDER BY call.id
        """,
    )
    assert outcomes[-1] == ("answered", 1, 0)
    assert len(outcomes) > 1
    assert all(outcome == ("lost", 0, 1) for outcome in outcomes[:-1])
    assert query(stack, "SELECT count(*) FROM billing_reservehold WHERE state = 'open'") == [(0,)]
    assert person.read_balance() == sum(entry["amount_micros"] for entry in person.read_ledger())
    assert person.read_balance() == 5_000_000 - job["cost_micros"]
    assert count_served_calls(stack) == len(outcomes)
    stack.manage("backend", "prove_ledger")
