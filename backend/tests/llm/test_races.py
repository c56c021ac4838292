"""Two at the same moment: one call is planned, and one hand sends it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connection

from apps.common import clock
from apps.common.ids import uuid7
from apps.llm.models import LLMCall
from apps.llm.services import mark_lost, mark_sent, store_answer
from tests.factories.accounts import make_actor
from tests.llm.samples import make_call, make_completion, make_sent_call

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

HANDS = 6
Result = TypeVar("Result")


def at_once(act: Callable[[int], Result]) -> list[Result]:
    """What `act` gives to several threads that begin together, each with a connection of its own."""
    barrier = threading.Barrier(HANDS)

    def run(number: int) -> Result:
        try:
            barrier.wait(timeout=10)
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(run, range(HANDS)))


def test_one_of_many_claims_the_call() -> None:
    call = make_call(make_actor())
    claims = at_once(lambda _: mark_sent(tenant=call.tenant, call_id=call.id, now=clock.now()))
    assert sorted(claims) == [False] * (HANDS - 1) + [True]


@pytest.mark.failure("M35")
def test_one_operation_key_makes_one_call() -> None:
    actor, job_id = make_actor(), uuid7()
    calls = at_once(lambda _: make_call(actor, job_id=job_id))
    assert len({call.id for call in calls}) == LLMCall.objects.count() == 1


@pytest.mark.failure("M38")
def test_an_answer_and_a_sweeper_end_a_call_once() -> None:
    call = make_sent_call(make_actor())

    def end(number: int) -> bool:
        if number % 2:
            return mark_lost(tenant=call.tenant, call_id=call.id, now=clock.now())
        return store_answer(tenant=call.tenant, call_id=call.id, completion=make_completion(), now=clock.now())

    assert at_once(end).count(True) == 1
