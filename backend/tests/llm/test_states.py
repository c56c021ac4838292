"""The states of a call: the table, the compare-and-set and the database agree."""

import itertools
from collections.abc import Callable

import pytest
from django.db import ProgrammingError, transaction

from apps.common import clock
from apps.llm.models import LLMCall
from apps.llm.services import mark_lost, mark_sent, store_answer, store_failure
from apps.llm.types import CALL_STATES, TRANSITIONS, CallState, CallView
from apps.observability.selectors import list_events
from tests.factories.accounts import make_actor
from tests.llm.samples import make_call, make_completion

pytestmark = pytest.mark.django_db

Move = Callable[[CallView], bool]

MOVES: dict[CallState, Move] = {
    CallState.SENT: lambda call: mark_sent(tenant=call.tenant, call_id=call.id, now=clock.now()),
    CallState.ANSWERED: lambda call: store_answer(
        tenant=call.tenant, call_id=call.id, completion=make_completion(), now=clock.now()
    ),
    CallState.FAILED: lambda call: store_failure(
        tenant=call.tenant, call_id=call.id, error_code="timeout", now=clock.now()
    ),
    CallState.LOST: lambda call: mark_lost(tenant=call.tenant, call_id=call.id, now=clock.now()),
}
PATHS = {
    CallState.PLANNED: [],
    CallState.SENT: [CallState.SENT],
    CallState.ANSWERED: [CallState.SENT, CallState.ANSWERED],
    CallState.FAILED: [CallState.FAILED],
    CallState.LOST: [CallState.SENT, CallState.LOST],
}


def call_in(state: CallState) -> CallView:
    call = make_call(make_actor())
    for step in PATHS[state]:
        assert MOVES[step](call)
    return call


@pytest.mark.parametrize(("before", "after"), list(itertools.product(CallState, MOVES)))
def test_a_service_moves_a_call_only_as_the_table_says(before: CallState, after: CallState) -> None:
    call = call_in(before)
    assert MOVES[after](call) == CALL_STATES.allows(before, after)
    expected = after if CALL_STATES.allows(before, after) else before
    assert LLMCall.objects.get(id=call.id).state == expected


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(CallState, 2)))
def test_the_database_refuses_what_the_table_does_not_name(before: CallState, after: CallState) -> None:
    row = LLMCall.objects.filter(id=call_in(before).id)
    complete = {"sent_at": clock.now(), "answered_at": clock.now(), "content": ""}
    if CALL_STATES.allows(before, after):
        assert row.update(state=after, **complete) == 1
        return
    with pytest.raises(ProgrammingError, match="Invalid transition"), transaction.atomic():
        row.update(state=after, **complete)


def test_of_two_who_claim_a_call_one_is_told_no() -> None:
    call = make_call(make_actor())
    claims = [MOVES[CallState.SENT](call), MOVES[CallState.SENT](call)]
    assert claims == [True, False]


def test_another_tenant_cannot_move_a_call() -> None:
    call = make_call(make_actor())
    assert not mark_sent(tenant=make_actor().tenant, call_id=call.id, now=clock.now())


def test_each_move_is_written_down_once() -> None:
    call = call_in(CallState.LOST)
    MOVES[CallState.LOST](call)
    names = [event.name for event in list_events(tenant=call.tenant, subject_id=call.id)]
    assert names == ["llm_call.sent", "llm_call.lost"]


def test_the_diagram_shows_every_move_and_every_end() -> None:
    drawn = CALL_STATES.render_mermaid()
    moves = [f"{old.value} --> {new.value}" for old, targets in TRANSITIONS.items() for new in targets]
    assert all(move in drawn for move in moves)
    assert all(f"{end} --> [*]" in drawn for end in ("answered", "failed", "lost"))
