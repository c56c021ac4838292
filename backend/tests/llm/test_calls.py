"""Planning, performing and recording calls."""

import json

import pytest
from django.db import ProgrammingError, transaction
from pytest_django.fixtures import Settings

from apps.common import clock
from apps.common.errors import NotFound
from apps.common.ids import uuid7
from apps.common.states import WrongState
from apps.llm.models import LLMCall
from apps.llm.selectors import get_call, list_calls, list_entry_ids
from apps.llm.services import (
    check_completion,
    estimate_ceiling,
    get_writer,
    perform_call,
    store_answer,
    store_failure,
)
from apps.llm.types import CallMismatch, CallState, CallUsage, ChatMessage, ModelRefused, ModelUnavailable
from tests.factories.accounts import make_actor
from tests.llm.samples import entry, make_call, make_completion, make_sent_call, question

pytestmark = pytest.mark.django_db


def test_without_an_endpoint_the_built_in_writer_writes() -> None:
    writer = get_writer()
    assert (writer.provider, writer.model, writer.label) == ("builtin", "builtin-writer-1", "Built-in writer")


def test_with_an_endpoint_the_writer_is_named_by_model_and_host(settings: Settings) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL = "https://api.example:8443/v1", "gpt-4o-mini"
    assert get_writer().provider == "openai"
    assert get_writer().label == "gpt-4o-mini at api.example"


def test_a_model_without_an_endpoint_is_not_used(settings: Settings) -> None:
    settings.LLM_MODEL = "gpt-4o-mini"
    assert get_writer().provider == "builtin"


def test_the_same_operation_key_plans_one_call() -> None:
    actor, job_id = make_actor(), uuid7()
    first, second = make_call(actor, job_id=job_id), make_call(actor, job_id=job_id)
    assert first == second
    assert list_calls(tenant=actor.tenant, job_id=job_id).count() == 1


def test_the_same_operation_key_for_another_question_is_a_conflict() -> None:
    actor = make_actor()
    make_call(actor)
    with pytest.raises(CallMismatch):
        make_call(actor, max_output_tokens=17)


def test_two_tenants_may_use_the_same_operation_key() -> None:
    assert make_call(make_actor()).id != make_call(make_actor()).id


def test_a_replay_keeps_the_writer_of_the_first_time(settings: Settings) -> None:
    actor = make_actor()
    first = make_call(actor)
    settings.LLM_BASE_URL, settings.LLM_MODEL = "https://api.example/v1", "gpt-4o-mini"
    assert make_call(actor).writer == first.writer


def test_a_question_cannot_be_changed_behind_the_services() -> None:
    call = make_call(make_actor())
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        LLMCall.objects.filter(id=call.id).update(messages=[])


def test_a_call_knows_the_entries_that_it_asked_about() -> None:
    actor, entries = make_actor(), [entry("One"), entry("Two")]
    call = make_call(actor, messages=question(*entries))
    assert [str(found) for found in list_entry_ids(tenant=actor.tenant, call_id=call.id)] == [e["id"] for e in entries]


def test_another_tenants_call_is_not_found() -> None:
    call = make_call(make_actor())
    with pytest.raises(NotFound):
        get_call(tenant=make_actor().tenant, call_id=call.id)


def test_a_sent_call_is_answered_within_its_ceiling() -> None:
    actor = make_actor()
    call = make_sent_call(actor)
    completion = perform_call(tenant=actor.tenant, call_id=call.id, deadline_seconds=5)
    ceiling = estimate_ceiling(messages=call.messages, max_output_tokens=call.max_output_tokens)
    assert json.loads(completion.content)["sections"]
    assert completion.usage is not None
    assert completion.usage.input <= ceiling.input
    assert completion.usage.output <= ceiling.output


def test_a_call_that_was_not_marked_as_sent_is_not_performed() -> None:
    actor = make_actor()
    with pytest.raises(WrongState):
        perform_call(tenant=actor.tenant, call_id=make_call(actor).id, deadline_seconds=5)


def test_no_call_is_performed_inside_a_transaction() -> None:
    actor = make_actor()
    call = make_sent_call(actor)
    with transaction.atomic(), pytest.raises(transaction.TransactionManagementError):
        perform_call(tenant=actor.tenant, call_id=call.id, deadline_seconds=5)


def test_a_call_planned_for_an_endpoint_that_is_gone_fails_without_cost(settings: Settings) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL = "https://api.example/v1", "gpt-4o-mini"
    actor = make_actor()
    call = make_sent_call(actor)
    settings.LLM_BASE_URL = ""
    with pytest.raises(ModelUnavailable) as failure:
        perform_call(tenant=actor.tenant, call_id=call.id, deadline_seconds=5)
    assert (failure.value.reason, failure.value.was_served) == ("not_configured", False)


def test_a_stored_answer_reads_back_with_its_usage() -> None:
    actor = make_actor()
    call = make_sent_call(actor)
    usage = CallUsage(input=10, cached_input=3, cache_write=2, output=5, reasoning=1)
    store_answer(tenant=actor.tenant, call_id=call.id, completion=make_completion("{}", usage=usage), now=clock.now())
    stored = get_call(tenant=actor.tenant, call_id=call.id)
    assert (stored.state, stored.content, stored.usage) == (CallState.ANSWERED, "{}", usage)


def test_an_answer_without_usage_reads_back_as_unknown_and_not_as_zero() -> None:
    actor = make_actor()
    call = make_sent_call(actor)
    completion = make_completion(usage_flag="negative")
    store_answer(tenant=actor.tenant, call_id=call.id, completion=completion, now=clock.now())
    assert get_call(tenant=actor.tenant, call_id=call.id).usage is None
    assert LLMCall.objects.get(id=call.id).usage_flag == "negative"


def test_an_answer_that_postgresql_cannot_hold_is_kept_without_those_characters() -> None:
    actor = make_actor()
    call = make_sent_call(actor)
    store_answer(tenant=actor.tenant, call_id=call.id, completion=make_completion("a\x00b\ud800"), now=clock.now())
    assert get_call(tenant=actor.tenant, call_id=call.id).content == "ab?"


def test_a_row_names_itself() -> None:
    make_call(make_actor(), key="job:write-1:1")
    assert str(LLMCall.objects.get()) == "report planned job:write-1:1"


def test_a_failure_keeps_its_reason() -> None:
    actor = make_actor()
    call = make_call(actor)
    store_failure(tenant=actor.tenant, call_id=call.id, error_code="http_503", now=clock.now())
    assert get_call(tenant=actor.tenant, call_id=call.id).error_code == "http_503"


@pytest.mark.parametrize(
    ("finish_reason", "content", "reason"),
    [
        ("length", '{"sections": [', "length"),
        ("content_filter", "", "content_filter"),
        ("refusal", "", "refusal"),
        ("stop", " \n", "empty"),
    ],
)
def test_an_answer_that_is_none_says_why(finish_reason: str, content: str, reason: str) -> None:
    with pytest.raises(ModelRefused) as refusal:
        check_completion(completion=make_completion(content, finish_reason=finish_reason))
    assert (refusal.value.reason, refusal.value.was_served) == (reason, True)


def test_a_whole_answer_passes() -> None:
    check_completion(completion=make_completion('{"sections": []}'))


@pytest.mark.parametrize("text", ["", "plain words", "naïve café", "請求書", "🧾👩‍💻", "a\u0301" * 50, "\x00\x01"])
def test_the_ceiling_is_never_below_one_token_a_byte(text: str) -> None:
    ceiling = estimate_ceiling(messages=[ChatMessage("user", text)], max_output_tokens=7)
    assert ceiling.input > len(text.encode())
    assert ceiling.output == 7
