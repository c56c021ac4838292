"""The provider for OpenAI-compatible endpoints, over real HTTP."""

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import stamina

from apps.common.ids import uuid7
from apps.llm.providers import openai_compatible
from apps.llm.providers.openai_wire import Answer
from apps.llm.types import ModelRefused, ModelUnavailable
from devstack.net import free_ports
from devstack.standins.llm.knobs import Fault
from devstack.standins.llm.server import ModelServer
from devstack.standins.web import Response, json_response, serving
from tests.llm.endpoints import (
    ask,
    ask_in_vain,
    bare,
    chunk,
    drip,
    error,
    quick_retries,
    scripted,
    streamed,
    whole,
)
from tests.llm.samples import entry, make_request

USAGE = {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49}


def test_the_stand_in_answers_with_content_and_usage() -> None:
    server, told = ModelServer(api_key="key"), entry("Cut the run")
    with serving(server) as address:
        completion = ask(address, make_request(told))
    journal = server.journal.as_json()
    assert json.loads(completion.content)["sections"][0]["bullets"][0]["entry_ids"] == [told["id"]]
    assert completion.usage is not None
    assert (completion.usage.input, completion.usage.output) == (journal["prompt_tokens"], journal["completion_tokens"])
    assert (completion.finish_reason, completion.attempts, completion.usage_flag) == ("stop", 1, "")


def test_the_question_carries_schema_limit_and_call_id() -> None:
    request = make_request(max_output_tokens=123)
    with scripted(whole()) as (address, script):
        ask(address, request)
    [body] = script.bodies
    assert (body["model"], body["max_tokens"], body["stream"]) == ("test-model", 123, True)
    assert body["response_format"]["json_schema"]["schema"] == request.response_schema
    assert script.requests[0].headers["x-client-request-id"] == str(request.call_id)
    assert script.requests[0].headers["authorization"] == "Bearer key"


def test_nothing_of_the_environment_reaches_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "from-environment")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with scripted(whole()) as (address, script):
        ask(address, make_request(), api_key="")
    assert "from-environment" not in str(script.requests[0].headers)


def test_a_streamed_answer_is_put_together() -> None:
    events = (chunk('{"a"'), chunk(": 1}"), chunk(finish_reason="stop"), chunk(usage=USAGE), b"data: [DONE]\n\n")
    with scripted(streamed(*events, headers={"x-request-id": "req-7"})) as (address, _):
        completion = ask(address, make_request())
    assert (completion.content, completion.provider_request_id) == ('{"a": 1}', "req-7")
    assert completion.usage is not None


def test_an_endpoint_that_answers_whole_is_understood() -> None:
    with scripted(whole("{}", finish_reason=None)) as (address, _):
        completion = ask(address, make_request())
    assert (completion.content, completion.finish_reason, completion.provider_request_id) == (
        "{}",
        "stop",
        "chatcmpl-1",
    )


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_an_answer_that_ended_early_is_returned_with_its_usage(reason: str) -> None:
    with scripted(whole('{"sections": [', finish_reason=reason)) as (address, _):
        completion = ask(address, make_request())
    assert completion.finish_reason == reason
    assert completion.usage is not None


def test_a_refusal_is_returned_without_its_words_and_with_its_usage() -> None:
    server = ModelServer()
    server.knobs.add(Fault(kind="refusal"))
    with serving(server) as address:
        completion = ask(address, make_request())
    assert (completion.finish_reason, completion.content) == ("refusal", "")
    assert completion.usage is not None


def test_an_endpoint_without_schemas_is_asked_for_any_json() -> None:
    with scripted(error(400, "response_format json_schema is unknown"), whole()) as (address, script):
        completion = ask(address, make_request())
    assert [body["response_format"]["type"] for body in script.bodies] == ["json_schema", "json_object"]
    assert completion.attempts == 2


def test_a_model_that_wants_the_newer_limit_gets_it() -> None:
    complaint = error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    with scripted(complaint, whole()) as (address, script):
        ask(address, make_request(max_output_tokens=77))
    assert script.bodies[1]["max_completion_tokens"] == 77
    assert "max_tokens" not in script.bodies[1]
    assert script.bodies[1]["response_format"]["type"] == "json_schema"


def test_an_endpoint_without_stream_options_is_asked_without_them() -> None:
    with scripted(error(422, "stream_options: extra fields not permitted"), whole()) as (address, script):
        ask(address, make_request())
    assert ["stream_options" in body for body in script.bodies] == [True, False]
    assert script.bodies[1]["response_format"]["type"] == "json_schema"


@pytest.mark.parametrize("status", [400, 422])
def test_an_endpoint_that_rejects_every_form_is_asked_no_further(status: int) -> None:
    with scripted(error(status)) as (address, script):
        failure = ask_in_vain(address, make_request())
    assert isinstance(failure, ModelRefused)
    assert (failure.reason, failure.was_served, len(script.requests)) == (f"http_{status}", False, 2)


@pytest.mark.parametrize("status", [302, 401, 403, 404])
def test_what_no_repetition_helps_is_tried_once(status: int) -> None:
    with scripted(error(status, location="/v2/chat/completions")) as (address, script):
        failure = ask_in_vain(address, make_request())
    assert isinstance(failure, ModelRefused)
    assert (failure.reason, failure.was_served, len(script.requests)) == (f"http_{status}", False, 1)


@pytest.mark.parametrize(("status", "was_served"), [(429, False), (500, False), (503, False), (502, None), (504, None)])
def test_a_trouble_that_may_pass_is_tried_three_times(status: int, was_served: bool | None) -> None:
    with scripted(error(status)) as (address, script):
        failure = ask_in_vain(address, make_request())
    assert isinstance(failure, ModelUnavailable)
    assert (failure.reason, failure.was_served, len(script.requests)) == (f"http_{status}", was_served, 3)


def test_after_a_trouble_that_passed_the_answer_counts_its_tries() -> None:
    with scripted(error(503), error(429), whole()) as (address, _), quick_retries():
        completion = ask(address, make_request())
    assert (completion.attempts, completion.has_unclear_attempt) == (3, False)


def test_a_try_whose_outcome_is_unknown_stays_known_as_such() -> None:
    with scripted(error(502), whole()) as (address, _), quick_retries():
        assert ask(address, make_request()).has_unclear_attempt
    with scripted(error(502), error(429)) as (address, _):
        assert ask_in_vain(address, make_request()).was_served is None


def test_a_spent_quota_is_not_tried_again() -> None:
    with scripted(error(429, code="insufficient_quota")) as (address, script):
        assert ask_in_vain(address, make_request()).was_served is False
    assert len(script.requests) == 1


def soon() -> str:
    return format_datetime(datetime.now(tz=UTC) + timedelta(seconds=2), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "at_least"),
    [({"retry_after": "0.3"}, 0.3), ({"retry_after_ms": "300"}, 0.3), ({"retry_after": "soon"}, 0.4)],
)
def test_the_endpoint_says_how_long_to_wait(headers: dict[str, str], at_least: float) -> None:
    started = time.monotonic()
    with scripted(error(429, **headers), whole()) as (address, _):
        ask(address, make_request())
    assert time.monotonic() - started >= at_least


def test_the_endpoint_may_name_the_moment_of_the_next_try() -> None:
    started = time.monotonic()
    with scripted(error(503, retry_after=soon()), whole()) as (address, _):
        ask(address, make_request())
    assert time.monotonic() - started >= 0.9


def test_a_moment_without_a_zone_is_in_utc() -> None:
    with scripted(error(503, retry_after="Mon, 23 Nov 2020 04:05:06"), whole()) as (address, _):
        assert ask(address, make_request()).attempts == 2


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    started = time.monotonic()
    with scripted(error(429, retry_after="60")) as (address, script):
        failure = ask_in_vain(address, make_request(deadline_seconds=2))
    assert (failure.was_served, len(script.requests)) == (False, 1)
    assert time.monotonic() - started < 1.5


def test_a_deadline_during_a_pause_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_compatible, "_pause_after", lambda *_: 9.0)
    with scripted(error(503)) as (address, _), pytest.raises(ModelUnavailable) as failure:
        ask(address, make_request(deadline_seconds=2))
    assert (failure.value.reason, failure.value.was_served) == ("timeout", False)


def test_nobody_at_the_address_means_that_nothing_was_served() -> None:
    [port] = free_ports(1)
    failure = ask_in_vain(f"http://127.0.0.1:{port}", make_request())
    assert (failure.reason, failure.was_served) == ("unreachable", False)


def test_an_endpoint_that_never_answers_is_cut_at_the_deadline() -> None:
    server = ModelServer()
    server.knobs.add(Fault(kind="hang", seconds=4))
    started = time.monotonic()
    with serving(server) as address:
        failure = ask_in_vain(address, make_request(deadline_seconds=0.5))
        assert time.monotonic() - started < 3
    assert (failure.reason, failure.was_served) == ("timeout", None)


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"]
)
def test_an_endpoint_that_drips_is_cut_at_the_deadline(head: bytes) -> None:
    started = time.monotonic()
    with bare(drip(head)) as address:
        failure = ask_in_vain(address, make_request(deadline_seconds=0.6))
        assert time.monotonic() - started < 3
    assert (failure.reason, failure.was_served) == ("timeout", None)


def test_an_answer_that_drips_but_arrives_in_time_is_taken() -> None:
    server = ModelServer()
    server.knobs.add(Fault(kind="slow_drip", seconds=0.005))
    with serving(server) as address:
        assert ask(address, make_request()).finish_reason == "stop"


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def test_a_connection_cut_before_the_answer_leaves_open_whether_it_was_served() -> None:
    with bare(hang_up) as address:
        failure = ask_in_vain(address, make_request())
    assert (failure.reason, failure.was_served) == ("cut", None)


def test_a_stream_cut_in_the_middle_is_no_answer_and_is_not_asked_for_again() -> None:
    with scripted(streamed(chunk('{"sections"'))) as (address, script):
        failure = ask_in_vain(address, make_request())
    assert (failure.reason, failure.was_served, len(script.requests)) == ("cut", None, 1)


def test_a_body_shorter_than_announced_is_no_answer() -> None:
    body = whole().body
    with scripted(Response(body=body, cut_after=len(body) // 2)) as (address, _):
        assert ask_in_vain(address, make_request()).was_served is None


def test_a_stream_that_breaks_after_the_last_word_is_an_answer_without_usage() -> None:
    def talk(connection: socket.socket) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\n"
        connection.sendall(head + chunk("{}", finish_reason="stop"))

    with bare(talk) as address:
        completion = ask(address, make_request())
    assert (completion.content, completion.usage, completion.usage_flag) == ("{}", None, "missing")


def test_a_stream_that_hangs_after_the_last_word_is_an_answer_without_usage() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        connection.sendall(chunk("{}", finish_reason="stop"))
        time.sleep(0.8)

    with bare(talk) as address:
        completion = ask(address, make_request(deadline_seconds=0.5))
    assert (completion.content, completion.usage_flag) == ("{}", "missing")


def test_an_error_in_the_middle_of_a_stream_leaves_open_whether_it_was_served() -> None:
    broken = b'data: {"error": {"message": "overloaded"}}\n\n'
    with scripted(streamed(chunk("{"), broken)) as (address, _):
        failure = ask_in_vain(address, make_request())
    assert (failure.reason, failure.was_served) == ("stream_error", None)


@pytest.mark.parametrize(
    "answer",
    [
        Response(body=b"<html>proxy</html>"),
        Response(body=b"[]"),
        Response(body=b'{"choices": "none"}'),
        streamed(b"data: {broken\n\n"),
        streamed(b'data: "text"\n\n'),
    ],
)
def test_what_is_no_completion_is_malformed(answer: Response) -> None:
    with scripted(answer) as (address, _):
        failure = ask_in_vain(address, make_request())
    assert (failure.reason, failure.was_served) == ("malformed", None)


def test_only_the_first_choice_counts() -> None:
    second = {"index": 1, "message": {"content": "other"}, "finish_reason": "stop"}
    first = {"index": 0, "message": {"content": "mine"}, "finish_reason": "stop"}
    with scripted(json_response({"choices": [second, first]})) as (address, _):
        assert ask(address, make_request()).content == "mine"


def test_an_answer_without_text_is_returned_empty() -> None:
    with scripted(whole(None, finish_reason="tool_calls")) as (address, _):
        assert ask(address, make_request()).content == ""


def test_an_endless_answer_is_cut_at_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_compatible, "MAX_ANSWER_BYTES", 20_000)
    with scripted(streamed(*[chunk("x" * 1_000)] * 50)) as (address, _):
        failure = ask_in_vain(address, make_request())
    assert isinstance(failure, ModelRefused)
    assert (failure.reason, failure.was_served) == ("too_large", True)


def test_an_address_that_is_none_is_unreachable() -> None:
    failure = ask_in_vain("no-address", make_request())
    assert failure.was_served is False


def test_usage_that_cannot_be_believed_is_flagged_and_left_out() -> None:
    server = ModelServer()
    server.knobs.add(Fault(kind="usage", usage={"prompt_tokens": -5, "completion_tokens": 3}))
    server.knobs.add(Fault(kind="no_usage"))
    with serving(server) as address:
        flags = [ask(address, make_request()).usage_flag for _ in range(2)]
    assert flags == ["negative", "missing"]


def test_an_error_of_our_own_is_not_taken_for_one_of_the_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object, piece: object) -> None:
        raise LookupError

    monkeypatch.setattr(Answer, "take", fail)
    with scripted(whole()) as (address, _), pytest.raises(LookupError):
        ask(address, make_request())


def test_tests_leave_retries_as_they_are_in_the_product() -> None:
    assert not stamina.is_testing()
    assert make_request(entry(id=str(uuid7()))).deadline_seconds == 5
