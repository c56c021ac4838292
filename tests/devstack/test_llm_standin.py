"""The model stand-in, asked through the real SDK."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletion

from devstack.standins.llm.server import ModelServer
from devstack.standins.web import serving

ENTRIES = {"entries": [{"id": "e1", "title": "Cut the invoice run"}, {"id": "e2", "title": "Moved 14 services"}]}
SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"enum": ["brag", "review"]},
        "count": {"type": "integer"},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
        "note": {"anyOf": [{"type": "null"}, {"type": "string"}]},
    },
    "$defs": {"tag": {"type": "string"}},
}


@pytest.fixture
def address() -> Iterator[str]:
    with serving(ModelServer(api_key="secret")) as url:
        yield url


@pytest.fixture
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="secret", max_retries=0, timeout=5) as client:
        yield client


def ask(client: openai.OpenAI, content: str = "Hello", **options: Any) -> ChatCompletion:
    messages: Any = [{"role": "system", "content": "Write."}, {"role": "user", "content": content}]
    answer = client.chat.completions.create(model="standin-small", messages=messages, **options)
    assert isinstance(answer, ChatCompletion)
    return answer


def turn(address: str, **knob: object) -> None:
    httpx.post(f"{address}/_knobs", json=knob).raise_for_status()


def journal(address: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{address}/_journal").json()
    return found


def test_a_report_has_one_bullet_an_entry(client: openai.OpenAI) -> None:
    content = ask(client, f"Write a report of {json.dumps(ENTRIES)} please").choices[0].message.content
    bullets = json.loads(content or "")["sections"][0]["bullets"]
    assert bullets == [
        {"text": "Cut the invoice run", "entry_ids": ["e1"]},
        {"text": "Moved 14 services", "entry_ids": ["e2"]},
    ]


def test_a_schema_is_honoured(client: openai.OpenAI) -> None:
    response_format = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}
    content = ask(client, response_format=response_format).choices[0].message.content
    assert json.loads(content or "") == {"kind": "brag", "count": 1, "tags": ["text"], "note": "text"}


def test_the_same_question_has_the_same_answer_and_usage(client: openai.OpenAI) -> None:
    first, second = ask(client), ask(client)
    assert first.choices[0].message.content == second.choices[0].message.content
    assert first.usage is not None
    assert first.usage == second.usage
    assert first.usage.total_tokens == first.usage.prompt_tokens + first.usage.completion_tokens > 0


def test_a_stream_carries_the_same_content_and_usage_last(client: openai.OpenAI) -> None:
    whole = ask(client)
    stream = client.chat.completions.create(
        model="standin-small",
        messages=[{"role": "system", "content": "Write."}, {"role": "user", "content": "Hello"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    content = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert content == whole.choices[0].message.content
    assert chunks[-1].usage == whole.usage


def test_the_token_limit_is_kept(client: openai.OpenAI) -> None:
    answer = ask(client, max_completion_tokens=3)
    assert answer.usage is not None
    assert (answer.choices[0].finish_reason, answer.usage.completion_tokens) == ("length", 3)


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["standin-small", "standin-large"]


def test_a_wrong_key_is_refused(address: str) -> None:
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="other", max_retries=0)
    with client, pytest.raises(openai.AuthenticationError):
        ask(client)


@pytest.mark.parametrize("retry_after", ["7", None])
def test_429_with_and_without_retry_after(client: openai.OpenAI, address: str, retry_after: str | None) -> None:
    turn(address, kind="status", status=429, retry_after=retry_after)
    with pytest.raises(openai.RateLimitError) as caught:
        ask(client)
    assert caught.value.response.headers.get("retry-after") == retry_after


def test_a_fault_lasts_as_many_calls_as_it_says(client: openai.OpenAI, address: str) -> None:
    turn(address, kind="status", status=500, times=2)
    for _ in range(2):
        with pytest.raises(openai.InternalServerError):
            ask(client)
    assert ask(client).choices[0].message.content


def test_a_sticky_fault_lasts_until_cleared(client: openai.OpenAI, address: str) -> None:
    turn(address, kind="content", content="always this", times=None)
    assert [ask(client).choices[0].message.content for _ in range(2)] == ["always this"] * 2
    httpx.delete(f"{address}/_knobs")
    assert ask(client).choices[0].message.content != "always this"


def test_a_hanging_call_meets_the_callers_deadline(client: openai.OpenAI, address: str) -> None:
    turn(address, kind="hang", seconds=2)
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.2))


def test_a_cut_answer_is_a_connection_error_but_a_served_call(client: openai.OpenAI, address: str) -> None:
    turn(address, kind="cut")
    with pytest.raises(openai.APIConnectionError):
        ask(client)
    assert journal(address)["served"] == 1


def test_a_cut_stream_ends_without_a_finish(client: openai.OpenAI, address: str) -> None:
    turn(address, kind="cut")
    chunks = list(
        client.chat.completions.create(
            model="standin-small", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
    )
    assert all(chunk.choices[0].finish_reason is None for chunk in chunks)


def test_a_slow_answer_drips(client: openai.OpenAI, address: str) -> None:
    turn(address, kind="slow_drip", seconds=0.001)
    assert ask(client).choices[0].message.content


@pytest.mark.parametrize("usage", [{"prompt_tokens": -5}, {"prompt_tokens": 10**18}, {"prompt_tokens": "many"}, "none"])
def test_usage_may_be_absurd(address: str, usage: object) -> None:
    turn(address, kind="usage", usage=usage)
    assert post(address)["usage"] == usage


def test_usage_may_be_missing(address: str) -> None:
    turn(address, kind="no_usage")
    assert "usage" not in post(address)


def test_a_refusal_has_no_content(client: openai.OpenAI, address: str) -> None:
    turn(address, kind="refusal")
    message = ask(client).choices[0].message
    assert (message.content, bool(message.refusal)) == (None, True)


def test_malformed_content_is_no_json(client: openai.OpenAI, address: str) -> None:
    turn(address, kind="malformed")
    with pytest.raises(json.JSONDecodeError):
        json.loads(ask(client, json.dumps(ENTRIES)).choices[0].message.content or "")


@pytest.mark.parametrize("knob", [{"kind": "nonsense"}, {"kind": "cut", "times": 0}, {"kind": "cut", "colour": 1}])
def test_a_knob_that_makes_no_sense_is_refused(address: str, knob: dict[str, object]) -> None:
    assert httpx.post(f"{address}/_knobs", json=knob).status_code == 400


def test_the_journal_has_bodies_and_tokens_and_can_be_cleared(client: openai.OpenAI, address: str) -> None:
    answer = ask(client, "count me")
    found = journal(address)
    assert answer.usage is not None
    assert found["completion_tokens"] == answer.usage.completion_tokens
    assert found["calls"][0]["body"]["messages"][1]["content"] == "count me"
    httpx.delete(f"{address}/_journal")
    assert journal(address)["calls"] == []


def post(address: str) -> dict[str, Any]:
    body = {"model": "standin-small", "messages": [{"role": "user", "content": "Hello"}]}
    answer = httpx.post(f"{address}/v1/chat/completions", json=body, headers={"Authorization": "Bearer secret"})
    found: dict[str, Any] = answer.json()
    return found
